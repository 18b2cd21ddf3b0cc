# PowerShell completion for ship: `ship complete` says what may come next.
Register-ArgumentCompleter -Native -CommandName 'ship' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $words = @($commandAst.CommandElements | Select-Object -Skip 1 |
        Where-Object { $_.Extent.StartOffset -lt $cursorPosition } | ForEach-Object { "$_" })
    if ($wordToComplete -eq '') { $words += '""' }
    $program = "$($commandAst.CommandElements[0])"
    & $program complete '--' @words 2>$null | ForEach-Object {
        $text, $about = $_ -split "`t", 2
        if ($text -eq ':files' -or $text -eq ':dirs') { return }
        if (-not $about) { $about = $text }
        [System.Management.Automation.CompletionResult]::new($text, $text, 'ParameterValue', $about)
    }
}
