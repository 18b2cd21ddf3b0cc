<?php

require __DIR__ . '/../vendor/autoload.php';

echo (new Guests\Page($_SERVER['REQUEST_URI']))->text();
