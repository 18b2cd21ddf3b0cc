# fish completion for ship: `ship complete` says what may come next.
function __ship_complete
    set -l typed (commandline -opc)
    set -l now (commandline -ct)
    for line in ($typed[1] complete -- $typed[2..] "$now" 2>/dev/null)
        switch $line
            case ':files'
                __fish_complete_path "$now"
            case ':dirs'
                __fish_complete_directories "$now" ''
            case '*'
                echo $line
        end
    end
end
complete -c ship -f -a '(__ship_complete)'
