# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_ship_global_optspecs
    string join \n C/project= json plain v/verbose q/quiet h/help V/version
end

function __fish_ship_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_ship_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_ship_using_subcommand
    set -l cmd (__fish_ship_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c ship -n "__fish_ship_needs_command" -s C -l project -d 'Folder of the project; default: this one or the nearest above with a ship.toml' -r -F
complete -c ship -n "__fish_ship_needs_command" -l json -d 'Prints one event per line as JSON on stdout'
complete -c ship -n "__fish_ship_needs_command" -l plain -d 'Prints plain lines, also at a terminal'
complete -c ship -n "__fish_ship_needs_command" -s v -l verbose -d 'Says more: round trips, and the output of steps as it comes'
complete -c ship -n "__fish_ship_needs_command" -s q -l quiet -d 'Says only warnings, errors and the result'
complete -c ship -n "__fish_ship_needs_command" -s h -l help -d 'Print help'
complete -c ship -n "__fish_ship_needs_command" -s V -l version -d 'Print version'
complete -c ship -n "__fish_ship_needs_command" -f -a "init" -d 'Writes a ship.toml for the project in this folder'
complete -c ship -n "__fish_ship_needs_command" -f -a "check" -d 'Validates ship.toml; with an environment, also looks at its hosts'
complete -c ship -n "__fish_ship_needs_command" -f -a "pin" -d 'Writes the exact runtimes, with checksums, to ship.lock'
complete -c ship -n "__fish_ship_needs_command" -f -a "build" -d 'Runs the build steps, as a deploy would'
complete -c ship -n "__fish_ship_needs_command" -f -a "test" -d 'Runs the test steps, as a deploy would'
complete -c ship -n "__fish_ship_needs_command" -f -a "run" -d 'Runs a command here as a build step would see it: with the project\'s environment'
complete -c ship -n "__fish_ship_needs_command" -f -a "setup" -d 'Makes the hosts of an environment ready; says what it changed, and changes nothing twice'
complete -c ship -n "__fish_ship_needs_command" -f -a "deploy" -d 'Builds, tests, ships and switches to a new release; puts the old one back if it does not serve'
complete -c ship -n "__fish_ship_needs_command" -f -a "rollback" -d 'Goes back to the good release from before the current one'
complete -c ship -n "__fish_ship_needs_command" -f -a "cancel" -d 'Asks a running deploy to put the old release back and stop, whoever runs it'
complete -c ship -n "__fish_ship_needs_command" -f -a "freeze" -d 'Refuses every deploy until a time that you give; a rollback is allowed'
complete -c ship -n "__fish_ship_needs_command" -f -a "thaw" -d 'Ends a freeze: deploys are allowed again'
complete -c ship -n "__fish_ship_needs_command" -f -a "status" -d 'Shows what is live where, since when, and whether it is healthy right now'
complete -c ship -n "__fish_ship_needs_command" -f -a "releases" -d 'Lists the releases on the hosts: which are good, which is live'
complete -c ship -n "__fish_ship_needs_command" -f -a "history" -d 'Shows who deployed what, when, from which commit, with what outcome'
complete -c ship -n "__fish_ship_needs_command" -f -a "logs" -d 'Shows the logs of the services on all hosts together'
complete -c ship -n "__fish_ship_needs_command" -f -a "exec" -d 'Runs a command in the live release\'s folder on a host, with its environment'
complete -c ship -n "__fish_ship_needs_command" -f -a "restart" -d 'Restarts services of the live release and proves that they serve'
complete -c ship -n "__fish_ship_needs_command" -f -a "stop" -d 'Stops services'
complete -c ship -n "__fish_ship_needs_command" -f -a "start" -d 'Starts services of the live release and proves that they serve'
complete -c ship -n "__fish_ship_needs_command" -f -a "host" -d 'Hosts and their keys'
complete -c ship -n "__fish_ship_needs_command" -f -a "try" -d 'Shows it all on this machine: a deploy, a broken one, the automatic way back'
complete -c ship -n "__fish_ship_needs_command" -f -a "completions" -d 'Prints the completions of a shell'
complete -c ship -n "__fish_ship_needs_command" -f -a "man" -d 'Prints the manual page, for `man -l -`'
complete -c ship -n "__fish_ship_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c ship -n "__fish_ship_using_subcommand init" -l name -d 'Name of the app; default: what the project or its folder is called' -r
complete -c ship -n "__fish_ship_using_subcommand init" -l host -d 'Where it runs, as ssh takes it, such as deploy@web1.example.com; may be repeated' -r
complete -c ship -n "__fish_ship_using_subcommand init" -l env -d 'Environment that the hosts belong to' -r
complete -c ship -n "__fish_ship_using_subcommand init" -s C -l project -d 'Folder of the project; default: this one or the nearest above with a ship.toml' -r -F
complete -c ship -n "__fish_ship_using_subcommand init" -s y -l yes -d 'Asks nothing: takes what was detected and the flags'
complete -c ship -n "__fish_ship_using_subcommand init" -l force -d 'Overwrites a ship.toml that is there'
complete -c ship -n "__fish_ship_using_subcommand init" -l json -d 'Prints one event per line as JSON on stdout'
complete -c ship -n "__fish_ship_using_subcommand init" -l plain -d 'Prints plain lines, also at a terminal'
complete -c ship -n "__fish_ship_using_subcommand init" -s v -l verbose -d 'Says more: round trips, and the output of steps as it comes'
complete -c ship -n "__fish_ship_using_subcommand init" -s q -l quiet -d 'Says only warnings, errors and the result'
complete -c ship -n "__fish_ship_using_subcommand init" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ship -n "__fish_ship_using_subcommand check" -s C -l project -d 'Folder of the project; default: this one or the nearest above with a ship.toml' -r -F
complete -c ship -n "__fish_ship_using_subcommand check" -l deep -d 'Reads every release on the hosts and compares it with what was deployed'
complete -c ship -n "__fish_ship_using_subcommand check" -l print -d 'Prints the manifest with every default filled in'
complete -c ship -n "__fish_ship_using_subcommand check" -l json -d 'Prints one event per line as JSON on stdout'
complete -c ship -n "__fish_ship_using_subcommand check" -l plain -d 'Prints plain lines, also at a terminal'
complete -c ship -n "__fish_ship_using_subcommand check" -s v -l verbose -d 'Says more: round trips, and the output of steps as it comes'
complete -c ship -n "__fish_ship_using_subcommand check" -s q -l quiet -d 'Says only warnings, errors and the result'
complete -c ship -n "__fish_ship_using_subcommand check" -s h -l help -d 'Print help'
complete -c ship -n "__fish_ship_using_subcommand pin" -l upgrade -d 'Moves on to the newest versions that answer: all, or these' -r
complete -c ship -n "__fish_ship_using_subcommand pin" -s C -l project -d 'Folder of the project; default: this one or the nearest above with a ship.toml' -r -F
complete -c ship -n "__fish_ship_using_subcommand pin" -l check -d 'Writes nothing and needs no network: fails when ship.lock does not answer ship.toml'
complete -c ship -n "__fish_ship_using_subcommand pin" -l json -d 'Prints one event per line as JSON on stdout'
complete -c ship -n "__fish_ship_using_subcommand pin" -l plain -d 'Prints plain lines, also at a terminal'
complete -c ship -n "__fish_ship_using_subcommand pin" -s v -l verbose -d 'Says more: round trips, and the output of steps as it comes'
complete -c ship -n "__fish_ship_using_subcommand pin" -s q -l quiet -d 'Says only warnings, errors and the result'
complete -c ship -n "__fish_ship_using_subcommand pin" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ship -n "__fish_ship_using_subcommand build" -s C -l project -d 'Folder of the project; default: this one or the nearest above with a ship.toml' -r -F
complete -c ship -n "__fish_ship_using_subcommand build" -l json -d 'Prints one event per line as JSON on stdout'
complete -c ship -n "__fish_ship_using_subcommand build" -l plain -d 'Prints plain lines, also at a terminal'
complete -c ship -n "__fish_ship_using_subcommand build" -s v -l verbose -d 'Says more: round trips, and the output of steps as it comes'
complete -c ship -n "__fish_ship_using_subcommand build" -s q -l quiet -d 'Says only warnings, errors and the result'
complete -c ship -n "__fish_ship_using_subcommand build" -s h -l help -d 'Print help'
complete -c ship -n "__fish_ship_using_subcommand test" -s C -l project -d 'Folder of the project; default: this one or the nearest above with a ship.toml' -r -F
complete -c ship -n "__fish_ship_using_subcommand test" -l json -d 'Prints one event per line as JSON on stdout'
complete -c ship -n "__fish_ship_using_subcommand test" -l plain -d 'Prints plain lines, also at a terminal'
complete -c ship -n "__fish_ship_using_subcommand test" -s v -l verbose -d 'Says more: round trips, and the output of steps as it comes'
complete -c ship -n "__fish_ship_using_subcommand test" -s q -l quiet -d 'Says only warnings, errors and the result'
complete -c ship -n "__fish_ship_using_subcommand test" -s h -l help -d 'Print help'
complete -c ship -n "__fish_ship_using_subcommand run" -s C -l project -d 'Folder of the project; default: this one or the nearest above with a ship.toml' -r -F
complete -c ship -n "__fish_ship_using_subcommand run" -l json -d 'Prints one event per line as JSON on stdout'
complete -c ship -n "__fish_ship_using_subcommand run" -l plain -d 'Prints plain lines, also at a terminal'
complete -c ship -n "__fish_ship_using_subcommand run" -s v -l verbose -d 'Says more: round trips, and the output of steps as it comes'
complete -c ship -n "__fish_ship_using_subcommand run" -s q -l quiet -d 'Says only warnings, errors and the result'
complete -c ship -n "__fish_ship_using_subcommand run" -s h -l help -d 'Print help'
complete -c ship -n "__fish_ship_using_subcommand setup" -l as -d 'User to connect as for this, such as root; default: the deploying user, with sudo' -r
complete -c ship -n "__fish_ship_using_subcommand setup" -s C -l project -d 'Folder of the project; default: this one or the nearest above with a ship.toml' -r -F
complete -c ship -n "__fish_ship_using_subcommand setup" -l dry-run -d 'Only says what would be changed'
complete -c ship -n "__fish_ship_using_subcommand setup" -l json -d 'Prints one event per line as JSON on stdout'
complete -c ship -n "__fish_ship_using_subcommand setup" -l plain -d 'Prints plain lines, also at a terminal'
complete -c ship -n "__fish_ship_using_subcommand setup" -s v -l verbose -d 'Says more: round trips, and the output of steps as it comes'
complete -c ship -n "__fish_ship_using_subcommand setup" -s q -l quiet -d 'Says only warnings, errors and the result'
complete -c ship -n "__fish_ship_using_subcommand setup" -s h -l help -d 'Print help'
complete -c ship -n "__fish_ship_using_subcommand deploy" -l wait -d 'Waits so long for another deploy to end, such as 10m; without a value: 30m' -r
complete -c ship -n "__fish_ship_using_subcommand deploy" -s C -l project -d 'Folder of the project; default: this one or the nearest above with a ship.toml' -r -F
complete -c ship -n "__fish_ship_using_subcommand deploy" -l skip-tests -d 'Leaves the test steps out; the history says so'
complete -c ship -n "__fish_ship_using_subcommand deploy" -l allow-dirty -d 'Deploys uncommitted changes too'
complete -c ship -n "__fish_ship_using_subcommand deploy" -l force -d 'Makes a new release even when nothing has changed'
complete -c ship -n "__fish_ship_using_subcommand deploy" -l skip-unreachable -d 'Goes on without hosts that cannot be reached; they are named, and the exit code is 9'
complete -c ship -n "__fish_ship_using_subcommand deploy" -l resume -d 'Brings hosts that are behind to the release that the others have; builds nothing'
complete -c ship -n "__fish_ship_using_subcommand deploy" -l json -d 'Prints one event per line as JSON on stdout'
complete -c ship -n "__fish_ship_using_subcommand deploy" -l plain -d 'Prints plain lines, also at a terminal'
complete -c ship -n "__fish_ship_using_subcommand deploy" -s v -l verbose -d 'Says more: round trips, and the output of steps as it comes'
complete -c ship -n "__fish_ship_using_subcommand deploy" -s q -l quiet -d 'Says only warnings, errors and the result'
complete -c ship -n "__fish_ship_using_subcommand deploy" -s h -l help -d 'Print help'
complete -c ship -n "__fish_ship_using_subcommand rollback" -l to -d 'Release to go to, such as v41; default: the one that was live before' -r
complete -c ship -n "__fish_ship_using_subcommand rollback" -l wait -d 'Waits so long for another deploy to end, such as 10m; without a value: 30m' -r
complete -c ship -n "__fish_ship_using_subcommand rollback" -s C -l project -d 'Folder of the project; default: this one or the nearest above with a ship.toml' -r -F
complete -c ship -n "__fish_ship_using_subcommand rollback" -l skip-unreachable -d 'Goes on without hosts that cannot be reached; they are named, and the exit code is 9'
complete -c ship -n "__fish_ship_using_subcommand rollback" -l json -d 'Prints one event per line as JSON on stdout'
complete -c ship -n "__fish_ship_using_subcommand rollback" -l plain -d 'Prints plain lines, also at a terminal'
complete -c ship -n "__fish_ship_using_subcommand rollback" -s v -l verbose -d 'Says more: round trips, and the output of steps as it comes'
complete -c ship -n "__fish_ship_using_subcommand rollback" -s q -l quiet -d 'Says only warnings, errors and the result'
complete -c ship -n "__fish_ship_using_subcommand rollback" -s h -l help -d 'Print help'
complete -c ship -n "__fish_ship_using_subcommand cancel" -s C -l project -d 'Folder of the project; default: this one or the nearest above with a ship.toml' -r -F
complete -c ship -n "__fish_ship_using_subcommand cancel" -l json -d 'Prints one event per line as JSON on stdout'
complete -c ship -n "__fish_ship_using_subcommand cancel" -l plain -d 'Prints plain lines, also at a terminal'
complete -c ship -n "__fish_ship_using_subcommand cancel" -s v -l verbose -d 'Says more: round trips, and the output of steps as it comes'
complete -c ship -n "__fish_ship_using_subcommand cancel" -s q -l quiet -d 'Says only warnings, errors and the result'
complete -c ship -n "__fish_ship_using_subcommand cancel" -s h -l help -d 'Print help'
complete -c ship -n "__fish_ship_using_subcommand freeze" -l reason -d 'Why, for whoever is refused' -r
complete -c ship -n "__fish_ship_using_subcommand freeze" -l until -d 'Until when: 2h, 3d, 2026-12-24 (to the end of that day), 2026-12-24T18:00 (this machine\'s time zone) or 2026-12-24T18:00:00Z; at most a year' -r
complete -c ship -n "__fish_ship_using_subcommand freeze" -s C -l project -d 'Folder of the project; default: this one or the nearest above with a ship.toml' -r -F
complete -c ship -n "__fish_ship_using_subcommand freeze" -l json -d 'Prints one event per line as JSON on stdout'
complete -c ship -n "__fish_ship_using_subcommand freeze" -l plain -d 'Prints plain lines, also at a terminal'
complete -c ship -n "__fish_ship_using_subcommand freeze" -s v -l verbose -d 'Says more: round trips, and the output of steps as it comes'
complete -c ship -n "__fish_ship_using_subcommand freeze" -s q -l quiet -d 'Says only warnings, errors and the result'
complete -c ship -n "__fish_ship_using_subcommand freeze" -s h -l help -d 'Print help'
complete -c ship -n "__fish_ship_using_subcommand thaw" -s C -l project -d 'Folder of the project; default: this one or the nearest above with a ship.toml' -r -F
complete -c ship -n "__fish_ship_using_subcommand thaw" -l json -d 'Prints one event per line as JSON on stdout'
complete -c ship -n "__fish_ship_using_subcommand thaw" -l plain -d 'Prints plain lines, also at a terminal'
complete -c ship -n "__fish_ship_using_subcommand thaw" -s v -l verbose -d 'Says more: round trips, and the output of steps as it comes'
complete -c ship -n "__fish_ship_using_subcommand thaw" -s q -l quiet -d 'Says only warnings, errors and the result'
complete -c ship -n "__fish_ship_using_subcommand thaw" -s h -l help -d 'Print help'
complete -c ship -n "__fish_ship_using_subcommand status" -s C -l project -d 'Folder of the project; default: this one or the nearest above with a ship.toml' -r -F
complete -c ship -n "__fish_ship_using_subcommand status" -l json -d 'Prints one event per line as JSON on stdout'
complete -c ship -n "__fish_ship_using_subcommand status" -l plain -d 'Prints plain lines, also at a terminal'
complete -c ship -n "__fish_ship_using_subcommand status" -s v -l verbose -d 'Says more: round trips, and the output of steps as it comes'
complete -c ship -n "__fish_ship_using_subcommand status" -s q -l quiet -d 'Says only warnings, errors and the result'
complete -c ship -n "__fish_ship_using_subcommand status" -s h -l help -d 'Print help'
complete -c ship -n "__fish_ship_using_subcommand releases" -s C -l project -d 'Folder of the project; default: this one or the nearest above with a ship.toml' -r -F
complete -c ship -n "__fish_ship_using_subcommand releases" -l json -d 'Prints one event per line as JSON on stdout'
complete -c ship -n "__fish_ship_using_subcommand releases" -l plain -d 'Prints plain lines, also at a terminal'
complete -c ship -n "__fish_ship_using_subcommand releases" -s v -l verbose -d 'Says more: round trips, and the output of steps as it comes'
complete -c ship -n "__fish_ship_using_subcommand releases" -s q -l quiet -d 'Says only warnings, errors and the result'
complete -c ship -n "__fish_ship_using_subcommand releases" -s h -l help -d 'Print help'
complete -c ship -n "__fish_ship_using_subcommand history" -s n -l limit -d 'How many entries, the newest first' -r
complete -c ship -n "__fish_ship_using_subcommand history" -s C -l project -d 'Folder of the project; default: this one or the nearest above with a ship.toml' -r -F
complete -c ship -n "__fish_ship_using_subcommand history" -l json -d 'Prints one event per line as JSON on stdout'
complete -c ship -n "__fish_ship_using_subcommand history" -l plain -d 'Prints plain lines, also at a terminal'
complete -c ship -n "__fish_ship_using_subcommand history" -s v -l verbose -d 'Says more: round trips, and the output of steps as it comes'
complete -c ship -n "__fish_ship_using_subcommand history" -s q -l quiet -d 'Says only warnings, errors and the result'
complete -c ship -n "__fish_ship_using_subcommand history" -s h -l help -d 'Print help'
complete -c ship -n "__fish_ship_using_subcommand logs" -s n -l lines -d 'How many old lines per service and host' -r
complete -c ship -n "__fish_ship_using_subcommand logs" -s C -l project -d 'Folder of the project; default: this one or the nearest above with a ship.toml' -r -F
complete -c ship -n "__fish_ship_using_subcommand logs" -s f -l follow -d 'Goes on with what comes, until Ctrl-C'
complete -c ship -n "__fish_ship_using_subcommand logs" -l json -d 'Prints one event per line as JSON on stdout'
complete -c ship -n "__fish_ship_using_subcommand logs" -l plain -d 'Prints plain lines, also at a terminal'
complete -c ship -n "__fish_ship_using_subcommand logs" -s v -l verbose -d 'Says more: round trips, and the output of steps as it comes'
complete -c ship -n "__fish_ship_using_subcommand logs" -s q -l quiet -d 'Says only warnings, errors and the result'
complete -c ship -n "__fish_ship_using_subcommand logs" -s h -l help -d 'Print help'
complete -c ship -n "__fish_ship_using_subcommand exec" -l host -d 'Host to run it on; default: the first one' -r
complete -c ship -n "__fish_ship_using_subcommand exec" -s C -l project -d 'Folder of the project; default: this one or the nearest above with a ship.toml' -r -F
complete -c ship -n "__fish_ship_using_subcommand exec" -l json -d 'Prints one event per line as JSON on stdout'
complete -c ship -n "__fish_ship_using_subcommand exec" -l plain -d 'Prints plain lines, also at a terminal'
complete -c ship -n "__fish_ship_using_subcommand exec" -s v -l verbose -d 'Says more: round trips, and the output of steps as it comes'
complete -c ship -n "__fish_ship_using_subcommand exec" -s q -l quiet -d 'Says only warnings, errors and the result'
complete -c ship -n "__fish_ship_using_subcommand exec" -s h -l help -d 'Print help'
complete -c ship -n "__fish_ship_using_subcommand restart" -l wait -d 'Waits so long for another deploy to end, such as 10m; without a value: 30m' -r
complete -c ship -n "__fish_ship_using_subcommand restart" -s C -l project -d 'Folder of the project; default: this one or the nearest above with a ship.toml' -r -F
complete -c ship -n "__fish_ship_using_subcommand restart" -l json -d 'Prints one event per line as JSON on stdout'
complete -c ship -n "__fish_ship_using_subcommand restart" -l plain -d 'Prints plain lines, also at a terminal'
complete -c ship -n "__fish_ship_using_subcommand restart" -s v -l verbose -d 'Says more: round trips, and the output of steps as it comes'
complete -c ship -n "__fish_ship_using_subcommand restart" -s q -l quiet -d 'Says only warnings, errors and the result'
complete -c ship -n "__fish_ship_using_subcommand restart" -s h -l help -d 'Print help'
complete -c ship -n "__fish_ship_using_subcommand stop" -l wait -d 'Waits so long for another deploy to end, such as 10m; without a value: 30m' -r
complete -c ship -n "__fish_ship_using_subcommand stop" -s C -l project -d 'Folder of the project; default: this one or the nearest above with a ship.toml' -r -F
complete -c ship -n "__fish_ship_using_subcommand stop" -l json -d 'Prints one event per line as JSON on stdout'
complete -c ship -n "__fish_ship_using_subcommand stop" -l plain -d 'Prints plain lines, also at a terminal'
complete -c ship -n "__fish_ship_using_subcommand stop" -s v -l verbose -d 'Says more: round trips, and the output of steps as it comes'
complete -c ship -n "__fish_ship_using_subcommand stop" -s q -l quiet -d 'Says only warnings, errors and the result'
complete -c ship -n "__fish_ship_using_subcommand stop" -s h -l help -d 'Print help'
complete -c ship -n "__fish_ship_using_subcommand start" -l wait -d 'Waits so long for another deploy to end, such as 10m; without a value: 30m' -r
complete -c ship -n "__fish_ship_using_subcommand start" -s C -l project -d 'Folder of the project; default: this one or the nearest above with a ship.toml' -r -F
complete -c ship -n "__fish_ship_using_subcommand start" -l json -d 'Prints one event per line as JSON on stdout'
complete -c ship -n "__fish_ship_using_subcommand start" -l plain -d 'Prints plain lines, also at a terminal'
complete -c ship -n "__fish_ship_using_subcommand start" -s v -l verbose -d 'Says more: round trips, and the output of steps as it comes'
complete -c ship -n "__fish_ship_using_subcommand start" -s q -l quiet -d 'Says only warnings, errors and the result'
complete -c ship -n "__fish_ship_using_subcommand start" -s h -l help -d 'Print help'
complete -c ship -n "__fish_ship_using_subcommand host; and not __fish_seen_subcommand_from trust help" -s C -l project -d 'Folder of the project; default: this one or the nearest above with a ship.toml' -r -F
complete -c ship -n "__fish_ship_using_subcommand host; and not __fish_seen_subcommand_from trust help" -l json -d 'Prints one event per line as JSON on stdout'
complete -c ship -n "__fish_ship_using_subcommand host; and not __fish_seen_subcommand_from trust help" -l plain -d 'Prints plain lines, also at a terminal'
complete -c ship -n "__fish_ship_using_subcommand host; and not __fish_seen_subcommand_from trust help" -s v -l verbose -d 'Says more: round trips, and the output of steps as it comes'
complete -c ship -n "__fish_ship_using_subcommand host; and not __fish_seen_subcommand_from trust help" -s q -l quiet -d 'Says only warnings, errors and the result'
complete -c ship -n "__fish_ship_using_subcommand host; and not __fish_seen_subcommand_from trust help" -s h -l help -d 'Print help'
complete -c ship -n "__fish_ship_using_subcommand host; and not __fish_seen_subcommand_from trust help" -f -a "trust" -d 'Shows the fingerprints of a host\'s keys, and pins them in the project'
complete -c ship -n "__fish_ship_using_subcommand host; and not __fish_seen_subcommand_from trust help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c ship -n "__fish_ship_using_subcommand host; and __fish_seen_subcommand_from trust" -l fingerprint -d 'Pins without asking: only when the host\'s key has this fingerprint (SHA256:…)' -r
complete -c ship -n "__fish_ship_using_subcommand host; and __fish_seen_subcommand_from trust" -s C -l project -d 'Folder of the project; default: this one or the nearest above with a ship.toml' -r -F
complete -c ship -n "__fish_ship_using_subcommand host; and __fish_seen_subcommand_from trust" -l json -d 'Prints one event per line as JSON on stdout'
complete -c ship -n "__fish_ship_using_subcommand host; and __fish_seen_subcommand_from trust" -l plain -d 'Prints plain lines, also at a terminal'
complete -c ship -n "__fish_ship_using_subcommand host; and __fish_seen_subcommand_from trust" -s v -l verbose -d 'Says more: round trips, and the output of steps as it comes'
complete -c ship -n "__fish_ship_using_subcommand host; and __fish_seen_subcommand_from trust" -s q -l quiet -d 'Says only warnings, errors and the result'
complete -c ship -n "__fish_ship_using_subcommand host; and __fish_seen_subcommand_from trust" -s h -l help -d 'Print help'
complete -c ship -n "__fish_ship_using_subcommand host; and __fish_seen_subcommand_from help" -f -a "trust" -d 'Shows the fingerprints of a host\'s keys, and pins them in the project'
complete -c ship -n "__fish_ship_using_subcommand host; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c ship -n "__fish_ship_using_subcommand try" -s C -l project -d 'Folder of the project; default: this one or the nearest above with a ship.toml' -r -F
complete -c ship -n "__fish_ship_using_subcommand try" -l keep -d 'Keeps the folder and the running app for a look around, and says how to end it'
complete -c ship -n "__fish_ship_using_subcommand try" -l json -d 'Prints one event per line as JSON on stdout'
complete -c ship -n "__fish_ship_using_subcommand try" -l plain -d 'Prints plain lines, also at a terminal'
complete -c ship -n "__fish_ship_using_subcommand try" -s v -l verbose -d 'Says more: round trips, and the output of steps as it comes'
complete -c ship -n "__fish_ship_using_subcommand try" -s q -l quiet -d 'Says only warnings, errors and the result'
complete -c ship -n "__fish_ship_using_subcommand try" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ship -n "__fish_ship_using_subcommand completions" -s C -l project -d 'Folder of the project; default: this one or the nearest above with a ship.toml' -r -F
complete -c ship -n "__fish_ship_using_subcommand completions" -l json -d 'Prints one event per line as JSON on stdout'
complete -c ship -n "__fish_ship_using_subcommand completions" -l plain -d 'Prints plain lines, also at a terminal'
complete -c ship -n "__fish_ship_using_subcommand completions" -s v -l verbose -d 'Says more: round trips, and the output of steps as it comes'
complete -c ship -n "__fish_ship_using_subcommand completions" -s q -l quiet -d 'Says only warnings, errors and the result'
complete -c ship -n "__fish_ship_using_subcommand completions" -s h -l help -d 'Print help'
complete -c ship -n "__fish_ship_using_subcommand man" -s C -l project -d 'Folder of the project; default: this one or the nearest above with a ship.toml' -r -F
complete -c ship -n "__fish_ship_using_subcommand man" -l json -d 'Prints one event per line as JSON on stdout'
complete -c ship -n "__fish_ship_using_subcommand man" -l plain -d 'Prints plain lines, also at a terminal'
complete -c ship -n "__fish_ship_using_subcommand man" -s v -l verbose -d 'Says more: round trips, and the output of steps as it comes'
complete -c ship -n "__fish_ship_using_subcommand man" -s q -l quiet -d 'Says only warnings, errors and the result'
complete -c ship -n "__fish_ship_using_subcommand man" -s h -l help -d 'Print help'
complete -c ship -n "__fish_ship_using_subcommand help; and not __fish_seen_subcommand_from init check pin build test run setup deploy rollback cancel freeze thaw status releases history logs exec restart stop start host try completions man help" -f -a "init" -d 'Writes a ship.toml for the project in this folder'
complete -c ship -n "__fish_ship_using_subcommand help; and not __fish_seen_subcommand_from init check pin build test run setup deploy rollback cancel freeze thaw status releases history logs exec restart stop start host try completions man help" -f -a "check" -d 'Validates ship.toml; with an environment, also looks at its hosts'
complete -c ship -n "__fish_ship_using_subcommand help; and not __fish_seen_subcommand_from init check pin build test run setup deploy rollback cancel freeze thaw status releases history logs exec restart stop start host try completions man help" -f -a "pin" -d 'Writes the exact runtimes, with checksums, to ship.lock'
complete -c ship -n "__fish_ship_using_subcommand help; and not __fish_seen_subcommand_from init check pin build test run setup deploy rollback cancel freeze thaw status releases history logs exec restart stop start host try completions man help" -f -a "build" -d 'Runs the build steps, as a deploy would'
complete -c ship -n "__fish_ship_using_subcommand help; and not __fish_seen_subcommand_from init check pin build test run setup deploy rollback cancel freeze thaw status releases history logs exec restart stop start host try completions man help" -f -a "test" -d 'Runs the test steps, as a deploy would'
complete -c ship -n "__fish_ship_using_subcommand help; and not __fish_seen_subcommand_from init check pin build test run setup deploy rollback cancel freeze thaw status releases history logs exec restart stop start host try completions man help" -f -a "run" -d 'Runs a command here as a build step would see it: with the project\'s environment'
complete -c ship -n "__fish_ship_using_subcommand help; and not __fish_seen_subcommand_from init check pin build test run setup deploy rollback cancel freeze thaw status releases history logs exec restart stop start host try completions man help" -f -a "setup" -d 'Makes the hosts of an environment ready; says what it changed, and changes nothing twice'
complete -c ship -n "__fish_ship_using_subcommand help; and not __fish_seen_subcommand_from init check pin build test run setup deploy rollback cancel freeze thaw status releases history logs exec restart stop start host try completions man help" -f -a "deploy" -d 'Builds, tests, ships and switches to a new release; puts the old one back if it does not serve'
complete -c ship -n "__fish_ship_using_subcommand help; and not __fish_seen_subcommand_from init check pin build test run setup deploy rollback cancel freeze thaw status releases history logs exec restart stop start host try completions man help" -f -a "rollback" -d 'Goes back to the good release from before the current one'
complete -c ship -n "__fish_ship_using_subcommand help; and not __fish_seen_subcommand_from init check pin build test run setup deploy rollback cancel freeze thaw status releases history logs exec restart stop start host try completions man help" -f -a "cancel" -d 'Asks a running deploy to put the old release back and stop, whoever runs it'
complete -c ship -n "__fish_ship_using_subcommand help; and not __fish_seen_subcommand_from init check pin build test run setup deploy rollback cancel freeze thaw status releases history logs exec restart stop start host try completions man help" -f -a "freeze" -d 'Refuses every deploy until a time that you give; a rollback is allowed'
complete -c ship -n "__fish_ship_using_subcommand help; and not __fish_seen_subcommand_from init check pin build test run setup deploy rollback cancel freeze thaw status releases history logs exec restart stop start host try completions man help" -f -a "thaw" -d 'Ends a freeze: deploys are allowed again'
complete -c ship -n "__fish_ship_using_subcommand help; and not __fish_seen_subcommand_from init check pin build test run setup deploy rollback cancel freeze thaw status releases history logs exec restart stop start host try completions man help" -f -a "status" -d 'Shows what is live where, since when, and whether it is healthy right now'
complete -c ship -n "__fish_ship_using_subcommand help; and not __fish_seen_subcommand_from init check pin build test run setup deploy rollback cancel freeze thaw status releases history logs exec restart stop start host try completions man help" -f -a "releases" -d 'Lists the releases on the hosts: which are good, which is live'
complete -c ship -n "__fish_ship_using_subcommand help; and not __fish_seen_subcommand_from init check pin build test run setup deploy rollback cancel freeze thaw status releases history logs exec restart stop start host try completions man help" -f -a "history" -d 'Shows who deployed what, when, from which commit, with what outcome'
complete -c ship -n "__fish_ship_using_subcommand help; and not __fish_seen_subcommand_from init check pin build test run setup deploy rollback cancel freeze thaw status releases history logs exec restart stop start host try completions man help" -f -a "logs" -d 'Shows the logs of the services on all hosts together'
complete -c ship -n "__fish_ship_using_subcommand help; and not __fish_seen_subcommand_from init check pin build test run setup deploy rollback cancel freeze thaw status releases history logs exec restart stop start host try completions man help" -f -a "exec" -d 'Runs a command in the live release\'s folder on a host, with its environment'
complete -c ship -n "__fish_ship_using_subcommand help; and not __fish_seen_subcommand_from init check pin build test run setup deploy rollback cancel freeze thaw status releases history logs exec restart stop start host try completions man help" -f -a "restart" -d 'Restarts services of the live release and proves that they serve'
complete -c ship -n "__fish_ship_using_subcommand help; and not __fish_seen_subcommand_from init check pin build test run setup deploy rollback cancel freeze thaw status releases history logs exec restart stop start host try completions man help" -f -a "stop" -d 'Stops services'
complete -c ship -n "__fish_ship_using_subcommand help; and not __fish_seen_subcommand_from init check pin build test run setup deploy rollback cancel freeze thaw status releases history logs exec restart stop start host try completions man help" -f -a "start" -d 'Starts services of the live release and proves that they serve'
complete -c ship -n "__fish_ship_using_subcommand help; and not __fish_seen_subcommand_from init check pin build test run setup deploy rollback cancel freeze thaw status releases history logs exec restart stop start host try completions man help" -f -a "host" -d 'Hosts and their keys'
complete -c ship -n "__fish_ship_using_subcommand help; and not __fish_seen_subcommand_from init check pin build test run setup deploy rollback cancel freeze thaw status releases history logs exec restart stop start host try completions man help" -f -a "try" -d 'Shows it all on this machine: a deploy, a broken one, the automatic way back'
complete -c ship -n "__fish_ship_using_subcommand help; and not __fish_seen_subcommand_from init check pin build test run setup deploy rollback cancel freeze thaw status releases history logs exec restart stop start host try completions man help" -f -a "completions" -d 'Prints the completions of a shell'
complete -c ship -n "__fish_ship_using_subcommand help; and not __fish_seen_subcommand_from init check pin build test run setup deploy rollback cancel freeze thaw status releases history logs exec restart stop start host try completions man help" -f -a "man" -d 'Prints the manual page, for `man -l -`'
complete -c ship -n "__fish_ship_using_subcommand help; and not __fish_seen_subcommand_from init check pin build test run setup deploy rollback cancel freeze thaw status releases history logs exec restart stop start host try completions man help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c ship -n "__fish_ship_using_subcommand help; and __fish_seen_subcommand_from host" -f -a "trust" -d 'Shows the fingerprints of a host\'s keys, and pins them in the project'
