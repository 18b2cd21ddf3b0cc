<?php

namespace Guests;

final class Page
{
    public function __construct(private string $path)
    {
    }

    public function text(): string
    {
        return '<link rel="stylesheet" href="/style.css"><h1>Autoloaded</h1><p>'
            . htmlspecialchars($this->path) . '</p>';
    }
}
