
using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'ship' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'ship'
        for ($i = 1; $i -lt $commandElements.Count; $i++) {
            $element = $commandElements[$i]
            if ($element -isnot [StringConstantExpressionAst] -or
                $element.StringConstantType -ne [StringConstantType]::BareWord -or
                $element.Value.StartsWith('-') -or
                $element.Value -eq $wordToComplete) {
                break
        }
        $element.Value
    }) -join ';'

    $completions = @(switch ($command) {
        'ship' {
            [CompletionResult]::new('-C', '-C ', [CompletionResultType]::ParameterName, 'Folder of the project; default: this one or the nearest above with a ship.toml')
            [CompletionResult]::new('--project', '--project', [CompletionResultType]::ParameterName, 'Folder of the project; default: this one or the nearest above with a ship.toml')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Prints one event per line as JSON on stdout')
            [CompletionResult]::new('--plain', '--plain', [CompletionResultType]::ParameterName, 'Prints plain lines, also at a terminal')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Says more: round trips, and the output of steps as it comes')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Says more: round trips, and the output of steps as it comes')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Says only warnings, errors and the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Says only warnings, errors and the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('init', 'init', [CompletionResultType]::ParameterValue, 'Writes a ship.toml for the project in this folder')
            [CompletionResult]::new('check', 'check', [CompletionResultType]::ParameterValue, 'Validates ship.toml; with an environment, also looks at its hosts')
            [CompletionResult]::new('pin', 'pin', [CompletionResultType]::ParameterValue, 'Writes the exact runtimes, with checksums, to ship.lock')
            [CompletionResult]::new('build', 'build', [CompletionResultType]::ParameterValue, 'Runs the build steps, as a deploy would')
            [CompletionResult]::new('test', 'test', [CompletionResultType]::ParameterValue, 'Runs the test steps, as a deploy would')
            [CompletionResult]::new('run', 'run', [CompletionResultType]::ParameterValue, 'Runs a command here as a build step would see it: with the project''s environment')
            [CompletionResult]::new('setup', 'setup', [CompletionResultType]::ParameterValue, 'Makes the hosts of an environment ready; says what it changed, and changes nothing twice')
            [CompletionResult]::new('deploy', 'deploy', [CompletionResultType]::ParameterValue, 'Builds, tests, ships and switches to a new release; puts the old one back if it does not serve')
            [CompletionResult]::new('rollback', 'rollback', [CompletionResultType]::ParameterValue, 'Goes back to the good release from before the current one')
            [CompletionResult]::new('cancel', 'cancel', [CompletionResultType]::ParameterValue, 'Asks a running deploy to put the old release back and stop, whoever runs it')
            [CompletionResult]::new('freeze', 'freeze', [CompletionResultType]::ParameterValue, 'Refuses every deploy until a time that you give; a rollback is allowed')
            [CompletionResult]::new('thaw', 'thaw', [CompletionResultType]::ParameterValue, 'Ends a freeze: deploys are allowed again')
            [CompletionResult]::new('status', 'status', [CompletionResultType]::ParameterValue, 'Shows what is live where, since when, and whether it is healthy right now')
            [CompletionResult]::new('releases', 'releases', [CompletionResultType]::ParameterValue, 'Lists the releases on the hosts: which are good, which is live')
            [CompletionResult]::new('history', 'history', [CompletionResultType]::ParameterValue, 'Shows who deployed what, when, from which commit, with what outcome')
            [CompletionResult]::new('logs', 'logs', [CompletionResultType]::ParameterValue, 'Shows the logs of the services on all hosts together')
            [CompletionResult]::new('exec', 'exec', [CompletionResultType]::ParameterValue, 'Runs a command in the live release''s folder on a host, with its environment')
            [CompletionResult]::new('restart', 'restart', [CompletionResultType]::ParameterValue, 'Restarts services of the live release and proves that they serve')
            [CompletionResult]::new('stop', 'stop', [CompletionResultType]::ParameterValue, 'Stops services')
            [CompletionResult]::new('start', 'start', [CompletionResultType]::ParameterValue, 'Starts services of the live release and proves that they serve')
            [CompletionResult]::new('host', 'host', [CompletionResultType]::ParameterValue, 'Hosts and their keys')
            [CompletionResult]::new('try', 'try', [CompletionResultType]::ParameterValue, 'Shows it all on this machine: a deploy, a broken one, the automatic way back')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Prints the completions of a shell')
            [CompletionResult]::new('man', 'man', [CompletionResultType]::ParameterValue, 'Prints the manual page, for `man -l -`')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'ship;init' {
            [CompletionResult]::new('--name', '--name', [CompletionResultType]::ParameterName, 'Name of the app; default: what the project or its folder is called')
            [CompletionResult]::new('--host', '--host', [CompletionResultType]::ParameterName, 'Where it runs, as ssh takes it, such as deploy@web1.example.com; may be repeated')
            [CompletionResult]::new('--env', '--env', [CompletionResultType]::ParameterName, 'Environment that the hosts belong to')
            [CompletionResult]::new('-C', '-C ', [CompletionResultType]::ParameterName, 'Folder of the project; default: this one or the nearest above with a ship.toml')
            [CompletionResult]::new('--project', '--project', [CompletionResultType]::ParameterName, 'Folder of the project; default: this one or the nearest above with a ship.toml')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Asks nothing: takes what was detected and the flags')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Asks nothing: takes what was detected and the flags')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Overwrites a ship.toml that is there')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Prints one event per line as JSON on stdout')
            [CompletionResult]::new('--plain', '--plain', [CompletionResultType]::ParameterName, 'Prints plain lines, also at a terminal')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Says more: round trips, and the output of steps as it comes')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Says more: round trips, and the output of steps as it comes')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Says only warnings, errors and the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Says only warnings, errors and the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'ship;check' {
            [CompletionResult]::new('-C', '-C ', [CompletionResultType]::ParameterName, 'Folder of the project; default: this one or the nearest above with a ship.toml')
            [CompletionResult]::new('--project', '--project', [CompletionResultType]::ParameterName, 'Folder of the project; default: this one or the nearest above with a ship.toml')
            [CompletionResult]::new('--deep', '--deep', [CompletionResultType]::ParameterName, 'Reads every release on the hosts and compares it with what was deployed')
            [CompletionResult]::new('--print', '--print', [CompletionResultType]::ParameterName, 'Prints the manifest with every default filled in')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Prints one event per line as JSON on stdout')
            [CompletionResult]::new('--plain', '--plain', [CompletionResultType]::ParameterName, 'Prints plain lines, also at a terminal')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Says more: round trips, and the output of steps as it comes')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Says more: round trips, and the output of steps as it comes')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Says only warnings, errors and the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Says only warnings, errors and the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'ship;pin' {
            [CompletionResult]::new('--upgrade', '--upgrade', [CompletionResultType]::ParameterName, 'Moves on to the newest versions that answer: all, or these')
            [CompletionResult]::new('-C', '-C ', [CompletionResultType]::ParameterName, 'Folder of the project; default: this one or the nearest above with a ship.toml')
            [CompletionResult]::new('--project', '--project', [CompletionResultType]::ParameterName, 'Folder of the project; default: this one or the nearest above with a ship.toml')
            [CompletionResult]::new('--check', '--check', [CompletionResultType]::ParameterName, 'Writes nothing and needs no network: fails when ship.lock does not answer ship.toml')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Prints one event per line as JSON on stdout')
            [CompletionResult]::new('--plain', '--plain', [CompletionResultType]::ParameterName, 'Prints plain lines, also at a terminal')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Says more: round trips, and the output of steps as it comes')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Says more: round trips, and the output of steps as it comes')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Says only warnings, errors and the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Says only warnings, errors and the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'ship;build' {
            [CompletionResult]::new('-C', '-C ', [CompletionResultType]::ParameterName, 'Folder of the project; default: this one or the nearest above with a ship.toml')
            [CompletionResult]::new('--project', '--project', [CompletionResultType]::ParameterName, 'Folder of the project; default: this one or the nearest above with a ship.toml')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Prints one event per line as JSON on stdout')
            [CompletionResult]::new('--plain', '--plain', [CompletionResultType]::ParameterName, 'Prints plain lines, also at a terminal')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Says more: round trips, and the output of steps as it comes')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Says more: round trips, and the output of steps as it comes')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Says only warnings, errors and the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Says only warnings, errors and the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'ship;test' {
            [CompletionResult]::new('-C', '-C ', [CompletionResultType]::ParameterName, 'Folder of the project; default: this one or the nearest above with a ship.toml')
            [CompletionResult]::new('--project', '--project', [CompletionResultType]::ParameterName, 'Folder of the project; default: this one or the nearest above with a ship.toml')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Prints one event per line as JSON on stdout')
            [CompletionResult]::new('--plain', '--plain', [CompletionResultType]::ParameterName, 'Prints plain lines, also at a terminal')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Says more: round trips, and the output of steps as it comes')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Says more: round trips, and the output of steps as it comes')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Says only warnings, errors and the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Says only warnings, errors and the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'ship;run' {
            [CompletionResult]::new('-C', '-C ', [CompletionResultType]::ParameterName, 'Folder of the project; default: this one or the nearest above with a ship.toml')
            [CompletionResult]::new('--project', '--project', [CompletionResultType]::ParameterName, 'Folder of the project; default: this one or the nearest above with a ship.toml')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Prints one event per line as JSON on stdout')
            [CompletionResult]::new('--plain', '--plain', [CompletionResultType]::ParameterName, 'Prints plain lines, also at a terminal')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Says more: round trips, and the output of steps as it comes')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Says more: round trips, and the output of steps as it comes')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Says only warnings, errors and the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Says only warnings, errors and the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'ship;setup' {
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'User to connect as for this, such as root; default: the deploying user, with sudo')
            [CompletionResult]::new('-C', '-C ', [CompletionResultType]::ParameterName, 'Folder of the project; default: this one or the nearest above with a ship.toml')
            [CompletionResult]::new('--project', '--project', [CompletionResultType]::ParameterName, 'Folder of the project; default: this one or the nearest above with a ship.toml')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Only says what would be changed')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Prints one event per line as JSON on stdout')
            [CompletionResult]::new('--plain', '--plain', [CompletionResultType]::ParameterName, 'Prints plain lines, also at a terminal')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Says more: round trips, and the output of steps as it comes')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Says more: round trips, and the output of steps as it comes')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Says only warnings, errors and the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Says only warnings, errors and the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'ship;deploy' {
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'Waits so long for another deploy to end, such as 10m; without a value: 30m')
            [CompletionResult]::new('-C', '-C ', [CompletionResultType]::ParameterName, 'Folder of the project; default: this one or the nearest above with a ship.toml')
            [CompletionResult]::new('--project', '--project', [CompletionResultType]::ParameterName, 'Folder of the project; default: this one or the nearest above with a ship.toml')
            [CompletionResult]::new('--skip-tests', '--skip-tests', [CompletionResultType]::ParameterName, 'Leaves the test steps out; the history says so')
            [CompletionResult]::new('--allow-dirty', '--allow-dirty', [CompletionResultType]::ParameterName, 'Deploys uncommitted changes too')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Makes a new release even when nothing has changed')
            [CompletionResult]::new('--skip-unreachable', '--skip-unreachable', [CompletionResultType]::ParameterName, 'Goes on without hosts that cannot be reached; they are named, and the exit code is 9')
            [CompletionResult]::new('--resume', '--resume', [CompletionResultType]::ParameterName, 'Brings hosts that are behind to the release that the others have; builds nothing')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Prints one event per line as JSON on stdout')
            [CompletionResult]::new('--plain', '--plain', [CompletionResultType]::ParameterName, 'Prints plain lines, also at a terminal')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Says more: round trips, and the output of steps as it comes')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Says more: round trips, and the output of steps as it comes')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Says only warnings, errors and the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Says only warnings, errors and the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'ship;rollback' {
            [CompletionResult]::new('--to', '--to', [CompletionResultType]::ParameterName, 'Release to go to, such as v41; default: the one that was live before')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'Waits so long for another deploy to end, such as 10m; without a value: 30m')
            [CompletionResult]::new('-C', '-C ', [CompletionResultType]::ParameterName, 'Folder of the project; default: this one or the nearest above with a ship.toml')
            [CompletionResult]::new('--project', '--project', [CompletionResultType]::ParameterName, 'Folder of the project; default: this one or the nearest above with a ship.toml')
            [CompletionResult]::new('--skip-unreachable', '--skip-unreachable', [CompletionResultType]::ParameterName, 'Goes on without hosts that cannot be reached; they are named, and the exit code is 9')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Prints one event per line as JSON on stdout')
            [CompletionResult]::new('--plain', '--plain', [CompletionResultType]::ParameterName, 'Prints plain lines, also at a terminal')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Says more: round trips, and the output of steps as it comes')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Says more: round trips, and the output of steps as it comes')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Says only warnings, errors and the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Says only warnings, errors and the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'ship;cancel' {
            [CompletionResult]::new('-C', '-C ', [CompletionResultType]::ParameterName, 'Folder of the project; default: this one or the nearest above with a ship.toml')
            [CompletionResult]::new('--project', '--project', [CompletionResultType]::ParameterName, 'Folder of the project; default: this one or the nearest above with a ship.toml')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Prints one event per line as JSON on stdout')
            [CompletionResult]::new('--plain', '--plain', [CompletionResultType]::ParameterName, 'Prints plain lines, also at a terminal')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Says more: round trips, and the output of steps as it comes')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Says more: round trips, and the output of steps as it comes')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Says only warnings, errors and the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Says only warnings, errors and the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'ship;freeze' {
            [CompletionResult]::new('--reason', '--reason', [CompletionResultType]::ParameterName, 'Why, for whoever is refused')
            [CompletionResult]::new('--until', '--until', [CompletionResultType]::ParameterName, 'Until when: 2h, 3d, 2026-12-24 (to the end of that day), 2026-12-24T18:00 (this machine''s time zone) or 2026-12-24T18:00:00Z; at most a year')
            [CompletionResult]::new('-C', '-C ', [CompletionResultType]::ParameterName, 'Folder of the project; default: this one or the nearest above with a ship.toml')
            [CompletionResult]::new('--project', '--project', [CompletionResultType]::ParameterName, 'Folder of the project; default: this one or the nearest above with a ship.toml')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Prints one event per line as JSON on stdout')
            [CompletionResult]::new('--plain', '--plain', [CompletionResultType]::ParameterName, 'Prints plain lines, also at a terminal')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Says more: round trips, and the output of steps as it comes')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Says more: round trips, and the output of steps as it comes')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Says only warnings, errors and the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Says only warnings, errors and the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'ship;thaw' {
            [CompletionResult]::new('-C', '-C ', [CompletionResultType]::ParameterName, 'Folder of the project; default: this one or the nearest above with a ship.toml')
            [CompletionResult]::new('--project', '--project', [CompletionResultType]::ParameterName, 'Folder of the project; default: this one or the nearest above with a ship.toml')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Prints one event per line as JSON on stdout')
            [CompletionResult]::new('--plain', '--plain', [CompletionResultType]::ParameterName, 'Prints plain lines, also at a terminal')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Says more: round trips, and the output of steps as it comes')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Says more: round trips, and the output of steps as it comes')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Says only warnings, errors and the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Says only warnings, errors and the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'ship;status' {
            [CompletionResult]::new('-C', '-C ', [CompletionResultType]::ParameterName, 'Folder of the project; default: this one or the nearest above with a ship.toml')
            [CompletionResult]::new('--project', '--project', [CompletionResultType]::ParameterName, 'Folder of the project; default: this one or the nearest above with a ship.toml')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Prints one event per line as JSON on stdout')
            [CompletionResult]::new('--plain', '--plain', [CompletionResultType]::ParameterName, 'Prints plain lines, also at a terminal')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Says more: round trips, and the output of steps as it comes')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Says more: round trips, and the output of steps as it comes')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Says only warnings, errors and the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Says only warnings, errors and the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'ship;releases' {
            [CompletionResult]::new('-C', '-C ', [CompletionResultType]::ParameterName, 'Folder of the project; default: this one or the nearest above with a ship.toml')
            [CompletionResult]::new('--project', '--project', [CompletionResultType]::ParameterName, 'Folder of the project; default: this one or the nearest above with a ship.toml')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Prints one event per line as JSON on stdout')
            [CompletionResult]::new('--plain', '--plain', [CompletionResultType]::ParameterName, 'Prints plain lines, also at a terminal')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Says more: round trips, and the output of steps as it comes')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Says more: round trips, and the output of steps as it comes')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Says only warnings, errors and the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Says only warnings, errors and the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'ship;history' {
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'How many entries, the newest first')
            [CompletionResult]::new('--limit', '--limit', [CompletionResultType]::ParameterName, 'How many entries, the newest first')
            [CompletionResult]::new('-C', '-C ', [CompletionResultType]::ParameterName, 'Folder of the project; default: this one or the nearest above with a ship.toml')
            [CompletionResult]::new('--project', '--project', [CompletionResultType]::ParameterName, 'Folder of the project; default: this one or the nearest above with a ship.toml')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Prints one event per line as JSON on stdout')
            [CompletionResult]::new('--plain', '--plain', [CompletionResultType]::ParameterName, 'Prints plain lines, also at a terminal')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Says more: round trips, and the output of steps as it comes')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Says more: round trips, and the output of steps as it comes')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Says only warnings, errors and the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Says only warnings, errors and the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'ship;logs' {
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'How many old lines per service and host')
            [CompletionResult]::new('--lines', '--lines', [CompletionResultType]::ParameterName, 'How many old lines per service and host')
            [CompletionResult]::new('-C', '-C ', [CompletionResultType]::ParameterName, 'Folder of the project; default: this one or the nearest above with a ship.toml')
            [CompletionResult]::new('--project', '--project', [CompletionResultType]::ParameterName, 'Folder of the project; default: this one or the nearest above with a ship.toml')
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'Goes on with what comes, until Ctrl-C')
            [CompletionResult]::new('--follow', '--follow', [CompletionResultType]::ParameterName, 'Goes on with what comes, until Ctrl-C')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Prints one event per line as JSON on stdout')
            [CompletionResult]::new('--plain', '--plain', [CompletionResultType]::ParameterName, 'Prints plain lines, also at a terminal')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Says more: round trips, and the output of steps as it comes')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Says more: round trips, and the output of steps as it comes')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Says only warnings, errors and the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Says only warnings, errors and the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'ship;exec' {
            [CompletionResult]::new('--host', '--host', [CompletionResultType]::ParameterName, 'Host to run it on; default: the first one')
            [CompletionResult]::new('-C', '-C ', [CompletionResultType]::ParameterName, 'Folder of the project; default: this one or the nearest above with a ship.toml')
            [CompletionResult]::new('--project', '--project', [CompletionResultType]::ParameterName, 'Folder of the project; default: this one or the nearest above with a ship.toml')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Prints one event per line as JSON on stdout')
            [CompletionResult]::new('--plain', '--plain', [CompletionResultType]::ParameterName, 'Prints plain lines, also at a terminal')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Says more: round trips, and the output of steps as it comes')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Says more: round trips, and the output of steps as it comes')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Says only warnings, errors and the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Says only warnings, errors and the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'ship;restart' {
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'Waits so long for another deploy to end, such as 10m; without a value: 30m')
            [CompletionResult]::new('-C', '-C ', [CompletionResultType]::ParameterName, 'Folder of the project; default: this one or the nearest above with a ship.toml')
            [CompletionResult]::new('--project', '--project', [CompletionResultType]::ParameterName, 'Folder of the project; default: this one or the nearest above with a ship.toml')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Prints one event per line as JSON on stdout')
            [CompletionResult]::new('--plain', '--plain', [CompletionResultType]::ParameterName, 'Prints plain lines, also at a terminal')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Says more: round trips, and the output of steps as it comes')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Says more: round trips, and the output of steps as it comes')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Says only warnings, errors and the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Says only warnings, errors and the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'ship;stop' {
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'Waits so long for another deploy to end, such as 10m; without a value: 30m')
            [CompletionResult]::new('-C', '-C ', [CompletionResultType]::ParameterName, 'Folder of the project; default: this one or the nearest above with a ship.toml')
            [CompletionResult]::new('--project', '--project', [CompletionResultType]::ParameterName, 'Folder of the project; default: this one or the nearest above with a ship.toml')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Prints one event per line as JSON on stdout')
            [CompletionResult]::new('--plain', '--plain', [CompletionResultType]::ParameterName, 'Prints plain lines, also at a terminal')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Says more: round trips, and the output of steps as it comes')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Says more: round trips, and the output of steps as it comes')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Says only warnings, errors and the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Says only warnings, errors and the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'ship;start' {
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'Waits so long for another deploy to end, such as 10m; without a value: 30m')
            [CompletionResult]::new('-C', '-C ', [CompletionResultType]::ParameterName, 'Folder of the project; default: this one or the nearest above with a ship.toml')
            [CompletionResult]::new('--project', '--project', [CompletionResultType]::ParameterName, 'Folder of the project; default: this one or the nearest above with a ship.toml')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Prints one event per line as JSON on stdout')
            [CompletionResult]::new('--plain', '--plain', [CompletionResultType]::ParameterName, 'Prints plain lines, also at a terminal')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Says more: round trips, and the output of steps as it comes')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Says more: round trips, and the output of steps as it comes')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Says only warnings, errors and the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Says only warnings, errors and the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'ship;host' {
            [CompletionResult]::new('-C', '-C ', [CompletionResultType]::ParameterName, 'Folder of the project; default: this one or the nearest above with a ship.toml')
            [CompletionResult]::new('--project', '--project', [CompletionResultType]::ParameterName, 'Folder of the project; default: this one or the nearest above with a ship.toml')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Prints one event per line as JSON on stdout')
            [CompletionResult]::new('--plain', '--plain', [CompletionResultType]::ParameterName, 'Prints plain lines, also at a terminal')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Says more: round trips, and the output of steps as it comes')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Says more: round trips, and the output of steps as it comes')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Says only warnings, errors and the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Says only warnings, errors and the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('trust', 'trust', [CompletionResultType]::ParameterValue, 'Shows the fingerprints of a host''s keys, and pins them in the project')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'ship;host;trust' {
            [CompletionResult]::new('--fingerprint', '--fingerprint', [CompletionResultType]::ParameterName, 'Pins without asking: only when the host''s key has this fingerprint (SHA256:…)')
            [CompletionResult]::new('-C', '-C ', [CompletionResultType]::ParameterName, 'Folder of the project; default: this one or the nearest above with a ship.toml')
            [CompletionResult]::new('--project', '--project', [CompletionResultType]::ParameterName, 'Folder of the project; default: this one or the nearest above with a ship.toml')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Prints one event per line as JSON on stdout')
            [CompletionResult]::new('--plain', '--plain', [CompletionResultType]::ParameterName, 'Prints plain lines, also at a terminal')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Says more: round trips, and the output of steps as it comes')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Says more: round trips, and the output of steps as it comes')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Says only warnings, errors and the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Says only warnings, errors and the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'ship;host;help' {
            [CompletionResult]::new('trust', 'trust', [CompletionResultType]::ParameterValue, 'Shows the fingerprints of a host''s keys, and pins them in the project')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'ship;host;help;trust' {
            break
        }
        'ship;host;help;help' {
            break
        }
        'ship;try' {
            [CompletionResult]::new('-C', '-C ', [CompletionResultType]::ParameterName, 'Folder of the project; default: this one or the nearest above with a ship.toml')
            [CompletionResult]::new('--project', '--project', [CompletionResultType]::ParameterName, 'Folder of the project; default: this one or the nearest above with a ship.toml')
            [CompletionResult]::new('--keep', '--keep', [CompletionResultType]::ParameterName, 'Keeps the folder and the running app for a look around, and says how to end it')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Prints one event per line as JSON on stdout')
            [CompletionResult]::new('--plain', '--plain', [CompletionResultType]::ParameterName, 'Prints plain lines, also at a terminal')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Says more: round trips, and the output of steps as it comes')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Says more: round trips, and the output of steps as it comes')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Says only warnings, errors and the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Says only warnings, errors and the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'ship;completions' {
            [CompletionResult]::new('-C', '-C ', [CompletionResultType]::ParameterName, 'Folder of the project; default: this one or the nearest above with a ship.toml')
            [CompletionResult]::new('--project', '--project', [CompletionResultType]::ParameterName, 'Folder of the project; default: this one or the nearest above with a ship.toml')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Prints one event per line as JSON on stdout')
            [CompletionResult]::new('--plain', '--plain', [CompletionResultType]::ParameterName, 'Prints plain lines, also at a terminal')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Says more: round trips, and the output of steps as it comes')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Says more: round trips, and the output of steps as it comes')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Says only warnings, errors and the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Says only warnings, errors and the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'ship;man' {
            [CompletionResult]::new('-C', '-C ', [CompletionResultType]::ParameterName, 'Folder of the project; default: this one or the nearest above with a ship.toml')
            [CompletionResult]::new('--project', '--project', [CompletionResultType]::ParameterName, 'Folder of the project; default: this one or the nearest above with a ship.toml')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Prints one event per line as JSON on stdout')
            [CompletionResult]::new('--plain', '--plain', [CompletionResultType]::ParameterName, 'Prints plain lines, also at a terminal')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Says more: round trips, and the output of steps as it comes')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Says more: round trips, and the output of steps as it comes')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Says only warnings, errors and the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Says only warnings, errors and the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'ship;help' {
            [CompletionResult]::new('init', 'init', [CompletionResultType]::ParameterValue, 'Writes a ship.toml for the project in this folder')
            [CompletionResult]::new('check', 'check', [CompletionResultType]::ParameterValue, 'Validates ship.toml; with an environment, also looks at its hosts')
            [CompletionResult]::new('pin', 'pin', [CompletionResultType]::ParameterValue, 'Writes the exact runtimes, with checksums, to ship.lock')
            [CompletionResult]::new('build', 'build', [CompletionResultType]::ParameterValue, 'Runs the build steps, as a deploy would')
            [CompletionResult]::new('test', 'test', [CompletionResultType]::ParameterValue, 'Runs the test steps, as a deploy would')
            [CompletionResult]::new('run', 'run', [CompletionResultType]::ParameterValue, 'Runs a command here as a build step would see it: with the project''s environment')
            [CompletionResult]::new('setup', 'setup', [CompletionResultType]::ParameterValue, 'Makes the hosts of an environment ready; says what it changed, and changes nothing twice')
            [CompletionResult]::new('deploy', 'deploy', [CompletionResultType]::ParameterValue, 'Builds, tests, ships and switches to a new release; puts the old one back if it does not serve')
            [CompletionResult]::new('rollback', 'rollback', [CompletionResultType]::ParameterValue, 'Goes back to the good release from before the current one')
            [CompletionResult]::new('cancel', 'cancel', [CompletionResultType]::ParameterValue, 'Asks a running deploy to put the old release back and stop, whoever runs it')
            [CompletionResult]::new('freeze', 'freeze', [CompletionResultType]::ParameterValue, 'Refuses every deploy until a time that you give; a rollback is allowed')
            [CompletionResult]::new('thaw', 'thaw', [CompletionResultType]::ParameterValue, 'Ends a freeze: deploys are allowed again')
            [CompletionResult]::new('status', 'status', [CompletionResultType]::ParameterValue, 'Shows what is live where, since when, and whether it is healthy right now')
            [CompletionResult]::new('releases', 'releases', [CompletionResultType]::ParameterValue, 'Lists the releases on the hosts: which are good, which is live')
            [CompletionResult]::new('history', 'history', [CompletionResultType]::ParameterValue, 'Shows who deployed what, when, from which commit, with what outcome')
            [CompletionResult]::new('logs', 'logs', [CompletionResultType]::ParameterValue, 'Shows the logs of the services on all hosts together')
            [CompletionResult]::new('exec', 'exec', [CompletionResultType]::ParameterValue, 'Runs a command in the live release''s folder on a host, with its environment')
            [CompletionResult]::new('restart', 'restart', [CompletionResultType]::ParameterValue, 'Restarts services of the live release and proves that they serve')
            [CompletionResult]::new('stop', 'stop', [CompletionResultType]::ParameterValue, 'Stops services')
            [CompletionResult]::new('start', 'start', [CompletionResultType]::ParameterValue, 'Starts services of the live release and proves that they serve')
            [CompletionResult]::new('host', 'host', [CompletionResultType]::ParameterValue, 'Hosts and their keys')
            [CompletionResult]::new('try', 'try', [CompletionResultType]::ParameterValue, 'Shows it all on this machine: a deploy, a broken one, the automatic way back')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Prints the completions of a shell')
            [CompletionResult]::new('man', 'man', [CompletionResultType]::ParameterValue, 'Prints the manual page, for `man -l -`')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'ship;help;init' {
            break
        }
        'ship;help;check' {
            break
        }
        'ship;help;pin' {
            break
        }
        'ship;help;build' {
            break
        }
        'ship;help;test' {
            break
        }
        'ship;help;run' {
            break
        }
        'ship;help;setup' {
            break
        }
        'ship;help;deploy' {
            break
        }
        'ship;help;rollback' {
            break
        }
        'ship;help;cancel' {
            break
        }
        'ship;help;freeze' {
            break
        }
        'ship;help;thaw' {
            break
        }
        'ship;help;status' {
            break
        }
        'ship;help;releases' {
            break
        }
        'ship;help;history' {
            break
        }
        'ship;help;logs' {
            break
        }
        'ship;help;exec' {
            break
        }
        'ship;help;restart' {
            break
        }
        'ship;help;stop' {
            break
        }
        'ship;help;start' {
            break
        }
        'ship;help;host' {
            [CompletionResult]::new('trust', 'trust', [CompletionResultType]::ParameterValue, 'Shows the fingerprints of a host''s keys, and pins them in the project')
            break
        }
        'ship;help;host;trust' {
            break
        }
        'ship;help;try' {
            break
        }
        'ship;help;completions' {
            break
        }
        'ship;help;man' {
            break
        }
        'ship;help;help' {
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}
