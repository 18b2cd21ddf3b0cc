
use builtin;
use str;

set edit:completion:arg-completer[ship] = {|@words|
    fn spaces {|n|
        builtin:repeat $n ' ' | str:join ''
    }
    fn cand {|text desc|
        edit:complex-candidate $text &display=$text' '(spaces (- 14 (wcswidth $text)))$desc
    }
    var command = 'ship'
    for word $words[1..-1] {
        if (str:has-prefix $word '-') {
            break
        }
        set command = $command';'$word
    }
    var completions = [
        &'ship'= {
            cand -C 'Folder of the project; default: this one or the nearest above with a ship.toml'
            cand --project 'Folder of the project; default: this one or the nearest above with a ship.toml'
            cand --json 'Prints one event per line as JSON on stdout'
            cand --plain 'Prints plain lines, also at a terminal'
            cand -v 'Says more: round trips, and the output of steps as it comes'
            cand --verbose 'Says more: round trips, and the output of steps as it comes'
            cand -q 'Says only warnings, errors and the result'
            cand --quiet 'Says only warnings, errors and the result'
            cand -h 'Print help'
            cand --help 'Print help'
            cand -V 'Print version'
            cand --version 'Print version'
            cand init 'Writes a ship.toml for the project in this folder'
            cand check 'Validates ship.toml; with an environment, also looks at its hosts'
            cand pin 'Writes the exact runtimes, with checksums, to ship.lock'
            cand build 'Runs the build steps, as a deploy would'
            cand test 'Runs the test steps, as a deploy would'
            cand run 'Runs a command here as a build step would see it: with the project''s environment'
            cand setup 'Makes the hosts of an environment ready; says what it changed, and changes nothing twice'
            cand deploy 'Builds, tests, ships and switches to a new release; puts the old one back if it does not serve'
            cand rollback 'Goes back to the good release from before the current one'
            cand cancel 'Asks a running deploy to put the old release back and stop, whoever runs it'
            cand freeze 'Refuses every deploy until a time that you give; a rollback is allowed'
            cand thaw 'Ends a freeze: deploys are allowed again'
            cand status 'Shows what is live where, since when, and whether it is healthy right now'
            cand releases 'Lists the releases on the hosts: which are good, which is live'
            cand history 'Shows who deployed what, when, from which commit, with what outcome'
            cand logs 'Shows the logs of the services on all hosts together'
            cand exec 'Runs a command in the live release''s folder on a host, with its environment'
            cand restart 'Restarts services of the live release and proves that they serve'
            cand stop 'Stops services'
            cand start 'Starts services of the live release and proves that they serve'
            cand host 'Hosts and their keys'
            cand try 'Shows it all on this machine: a deploy, a broken one, the automatic way back'
            cand completions 'Prints the completions of a shell'
            cand man 'Prints the manual page, for `man -l -`'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'ship;init'= {
            cand --name 'Name of the app; default: what the project or its folder is called'
            cand --host 'Where it runs, as ssh takes it, such as deploy@web1.example.com; may be repeated'
            cand --env 'Environment that the hosts belong to'
            cand -C 'Folder of the project; default: this one or the nearest above with a ship.toml'
            cand --project 'Folder of the project; default: this one or the nearest above with a ship.toml'
            cand -y 'Asks nothing: takes what was detected and the flags'
            cand --yes 'Asks nothing: takes what was detected and the flags'
            cand --force 'Overwrites a ship.toml that is there'
            cand --json 'Prints one event per line as JSON on stdout'
            cand --plain 'Prints plain lines, also at a terminal'
            cand -v 'Says more: round trips, and the output of steps as it comes'
            cand --verbose 'Says more: round trips, and the output of steps as it comes'
            cand -q 'Says only warnings, errors and the result'
            cand --quiet 'Says only warnings, errors and the result'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'ship;check'= {
            cand -C 'Folder of the project; default: this one or the nearest above with a ship.toml'
            cand --project 'Folder of the project; default: this one or the nearest above with a ship.toml'
            cand --deep 'Reads every release on the hosts and compares it with what was deployed'
            cand --print 'Prints the manifest with every default filled in'
            cand --json 'Prints one event per line as JSON on stdout'
            cand --plain 'Prints plain lines, also at a terminal'
            cand -v 'Says more: round trips, and the output of steps as it comes'
            cand --verbose 'Says more: round trips, and the output of steps as it comes'
            cand -q 'Says only warnings, errors and the result'
            cand --quiet 'Says only warnings, errors and the result'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'ship;pin'= {
            cand --upgrade 'Moves on to the newest versions that answer: all, or these'
            cand -C 'Folder of the project; default: this one or the nearest above with a ship.toml'
            cand --project 'Folder of the project; default: this one or the nearest above with a ship.toml'
            cand --check 'Writes nothing and needs no network: fails when ship.lock does not answer ship.toml'
            cand --json 'Prints one event per line as JSON on stdout'
            cand --plain 'Prints plain lines, also at a terminal'
            cand -v 'Says more: round trips, and the output of steps as it comes'
            cand --verbose 'Says more: round trips, and the output of steps as it comes'
            cand -q 'Says only warnings, errors and the result'
            cand --quiet 'Says only warnings, errors and the result'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'ship;build'= {
            cand -C 'Folder of the project; default: this one or the nearest above with a ship.toml'
            cand --project 'Folder of the project; default: this one or the nearest above with a ship.toml'
            cand --json 'Prints one event per line as JSON on stdout'
            cand --plain 'Prints plain lines, also at a terminal'
            cand -v 'Says more: round trips, and the output of steps as it comes'
            cand --verbose 'Says more: round trips, and the output of steps as it comes'
            cand -q 'Says only warnings, errors and the result'
            cand --quiet 'Says only warnings, errors and the result'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'ship;test'= {
            cand -C 'Folder of the project; default: this one or the nearest above with a ship.toml'
            cand --project 'Folder of the project; default: this one or the nearest above with a ship.toml'
            cand --json 'Prints one event per line as JSON on stdout'
            cand --plain 'Prints plain lines, also at a terminal'
            cand -v 'Says more: round trips, and the output of steps as it comes'
            cand --verbose 'Says more: round trips, and the output of steps as it comes'
            cand -q 'Says only warnings, errors and the result'
            cand --quiet 'Says only warnings, errors and the result'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'ship;run'= {
            cand -C 'Folder of the project; default: this one or the nearest above with a ship.toml'
            cand --project 'Folder of the project; default: this one or the nearest above with a ship.toml'
            cand --json 'Prints one event per line as JSON on stdout'
            cand --plain 'Prints plain lines, also at a terminal'
            cand -v 'Says more: round trips, and the output of steps as it comes'
            cand --verbose 'Says more: round trips, and the output of steps as it comes'
            cand -q 'Says only warnings, errors and the result'
            cand --quiet 'Says only warnings, errors and the result'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'ship;setup'= {
            cand --as 'User to connect as for this, such as root; default: the deploying user, with sudo'
            cand -C 'Folder of the project; default: this one or the nearest above with a ship.toml'
            cand --project 'Folder of the project; default: this one or the nearest above with a ship.toml'
            cand --dry-run 'Only says what would be changed'
            cand --json 'Prints one event per line as JSON on stdout'
            cand --plain 'Prints plain lines, also at a terminal'
            cand -v 'Says more: round trips, and the output of steps as it comes'
            cand --verbose 'Says more: round trips, and the output of steps as it comes'
            cand -q 'Says only warnings, errors and the result'
            cand --quiet 'Says only warnings, errors and the result'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'ship;deploy'= {
            cand --wait 'Waits so long for another deploy to end, such as 10m; without a value: 30m'
            cand -C 'Folder of the project; default: this one or the nearest above with a ship.toml'
            cand --project 'Folder of the project; default: this one or the nearest above with a ship.toml'
            cand --skip-tests 'Leaves the test steps out; the history says so'
            cand --allow-dirty 'Deploys uncommitted changes too'
            cand --force 'Makes a new release even when nothing has changed'
            cand --skip-unreachable 'Goes on without hosts that cannot be reached; they are named, and the exit code is 9'
            cand --resume 'Brings hosts that are behind to the release that the others have; builds nothing'
            cand --json 'Prints one event per line as JSON on stdout'
            cand --plain 'Prints plain lines, also at a terminal'
            cand -v 'Says more: round trips, and the output of steps as it comes'
            cand --verbose 'Says more: round trips, and the output of steps as it comes'
            cand -q 'Says only warnings, errors and the result'
            cand --quiet 'Says only warnings, errors and the result'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'ship;rollback'= {
            cand --to 'Release to go to, such as v41; default: the one that was live before'
            cand --wait 'Waits so long for another deploy to end, such as 10m; without a value: 30m'
            cand -C 'Folder of the project; default: this one or the nearest above with a ship.toml'
            cand --project 'Folder of the project; default: this one or the nearest above with a ship.toml'
            cand --skip-unreachable 'Goes on without hosts that cannot be reached; they are named, and the exit code is 9'
            cand --json 'Prints one event per line as JSON on stdout'
            cand --plain 'Prints plain lines, also at a terminal'
            cand -v 'Says more: round trips, and the output of steps as it comes'
            cand --verbose 'Says more: round trips, and the output of steps as it comes'
            cand -q 'Says only warnings, errors and the result'
            cand --quiet 'Says only warnings, errors and the result'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'ship;cancel'= {
            cand -C 'Folder of the project; default: this one or the nearest above with a ship.toml'
            cand --project 'Folder of the project; default: this one or the nearest above with a ship.toml'
            cand --json 'Prints one event per line as JSON on stdout'
            cand --plain 'Prints plain lines, also at a terminal'
            cand -v 'Says more: round trips, and the output of steps as it comes'
            cand --verbose 'Says more: round trips, and the output of steps as it comes'
            cand -q 'Says only warnings, errors and the result'
            cand --quiet 'Says only warnings, errors and the result'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'ship;freeze'= {
            cand --reason 'Why, for whoever is refused'
            cand --until 'Until when: 2h, 3d, 2026-12-24 (to the end of that day), 2026-12-24T18:00 (this machine''s time zone) or 2026-12-24T18:00:00Z; at most a year'
            cand -C 'Folder of the project; default: this one or the nearest above with a ship.toml'
            cand --project 'Folder of the project; default: this one or the nearest above with a ship.toml'
            cand --json 'Prints one event per line as JSON on stdout'
            cand --plain 'Prints plain lines, also at a terminal'
            cand -v 'Says more: round trips, and the output of steps as it comes'
            cand --verbose 'Says more: round trips, and the output of steps as it comes'
            cand -q 'Says only warnings, errors and the result'
            cand --quiet 'Says only warnings, errors and the result'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'ship;thaw'= {
            cand -C 'Folder of the project; default: this one or the nearest above with a ship.toml'
            cand --project 'Folder of the project; default: this one or the nearest above with a ship.toml'
            cand --json 'Prints one event per line as JSON on stdout'
            cand --plain 'Prints plain lines, also at a terminal'
            cand -v 'Says more: round trips, and the output of steps as it comes'
            cand --verbose 'Says more: round trips, and the output of steps as it comes'
            cand -q 'Says only warnings, errors and the result'
            cand --quiet 'Says only warnings, errors and the result'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'ship;status'= {
            cand -C 'Folder of the project; default: this one or the nearest above with a ship.toml'
            cand --project 'Folder of the project; default: this one or the nearest above with a ship.toml'
            cand --json 'Prints one event per line as JSON on stdout'
            cand --plain 'Prints plain lines, also at a terminal'
            cand -v 'Says more: round trips, and the output of steps as it comes'
            cand --verbose 'Says more: round trips, and the output of steps as it comes'
            cand -q 'Says only warnings, errors and the result'
            cand --quiet 'Says only warnings, errors and the result'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'ship;releases'= {
            cand -C 'Folder of the project; default: this one or the nearest above with a ship.toml'
            cand --project 'Folder of the project; default: this one or the nearest above with a ship.toml'
            cand --json 'Prints one event per line as JSON on stdout'
            cand --plain 'Prints plain lines, also at a terminal'
            cand -v 'Says more: round trips, and the output of steps as it comes'
            cand --verbose 'Says more: round trips, and the output of steps as it comes'
            cand -q 'Says only warnings, errors and the result'
            cand --quiet 'Says only warnings, errors and the result'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'ship;history'= {
            cand -n 'How many entries, the newest first'
            cand --limit 'How many entries, the newest first'
            cand -C 'Folder of the project; default: this one or the nearest above with a ship.toml'
            cand --project 'Folder of the project; default: this one or the nearest above with a ship.toml'
            cand --json 'Prints one event per line as JSON on stdout'
            cand --plain 'Prints plain lines, also at a terminal'
            cand -v 'Says more: round trips, and the output of steps as it comes'
            cand --verbose 'Says more: round trips, and the output of steps as it comes'
            cand -q 'Says only warnings, errors and the result'
            cand --quiet 'Says only warnings, errors and the result'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'ship;logs'= {
            cand -n 'How many old lines per service and host'
            cand --lines 'How many old lines per service and host'
            cand -C 'Folder of the project; default: this one or the nearest above with a ship.toml'
            cand --project 'Folder of the project; default: this one or the nearest above with a ship.toml'
            cand -f 'Goes on with what comes, until Ctrl-C'
            cand --follow 'Goes on with what comes, until Ctrl-C'
            cand --json 'Prints one event per line as JSON on stdout'
            cand --plain 'Prints plain lines, also at a terminal'
            cand -v 'Says more: round trips, and the output of steps as it comes'
            cand --verbose 'Says more: round trips, and the output of steps as it comes'
            cand -q 'Says only warnings, errors and the result'
            cand --quiet 'Says only warnings, errors and the result'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'ship;exec'= {
            cand --host 'Host to run it on; default: the first one'
            cand -C 'Folder of the project; default: this one or the nearest above with a ship.toml'
            cand --project 'Folder of the project; default: this one or the nearest above with a ship.toml'
            cand --json 'Prints one event per line as JSON on stdout'
            cand --plain 'Prints plain lines, also at a terminal'
            cand -v 'Says more: round trips, and the output of steps as it comes'
            cand --verbose 'Says more: round trips, and the output of steps as it comes'
            cand -q 'Says only warnings, errors and the result'
            cand --quiet 'Says only warnings, errors and the result'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'ship;restart'= {
            cand --wait 'Waits so long for another deploy to end, such as 10m; without a value: 30m'
            cand -C 'Folder of the project; default: this one or the nearest above with a ship.toml'
            cand --project 'Folder of the project; default: this one or the nearest above with a ship.toml'
            cand --json 'Prints one event per line as JSON on stdout'
            cand --plain 'Prints plain lines, also at a terminal'
            cand -v 'Says more: round trips, and the output of steps as it comes'
            cand --verbose 'Says more: round trips, and the output of steps as it comes'
            cand -q 'Says only warnings, errors and the result'
            cand --quiet 'Says only warnings, errors and the result'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'ship;stop'= {
            cand --wait 'Waits so long for another deploy to end, such as 10m; without a value: 30m'
            cand -C 'Folder of the project; default: this one or the nearest above with a ship.toml'
            cand --project 'Folder of the project; default: this one or the nearest above with a ship.toml'
            cand --json 'Prints one event per line as JSON on stdout'
            cand --plain 'Prints plain lines, also at a terminal'
            cand -v 'Says more: round trips, and the output of steps as it comes'
            cand --verbose 'Says more: round trips, and the output of steps as it comes'
            cand -q 'Says only warnings, errors and the result'
            cand --quiet 'Says only warnings, errors and the result'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'ship;start'= {
            cand --wait 'Waits so long for another deploy to end, such as 10m; without a value: 30m'
            cand -C 'Folder of the project; default: this one or the nearest above with a ship.toml'
            cand --project 'Folder of the project; default: this one or the nearest above with a ship.toml'
            cand --json 'Prints one event per line as JSON on stdout'
            cand --plain 'Prints plain lines, also at a terminal'
            cand -v 'Says more: round trips, and the output of steps as it comes'
            cand --verbose 'Says more: round trips, and the output of steps as it comes'
            cand -q 'Says only warnings, errors and the result'
            cand --quiet 'Says only warnings, errors and the result'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'ship;host'= {
            cand -C 'Folder of the project; default: this one or the nearest above with a ship.toml'
            cand --project 'Folder of the project; default: this one or the nearest above with a ship.toml'
            cand --json 'Prints one event per line as JSON on stdout'
            cand --plain 'Prints plain lines, also at a terminal'
            cand -v 'Says more: round trips, and the output of steps as it comes'
            cand --verbose 'Says more: round trips, and the output of steps as it comes'
            cand -q 'Says only warnings, errors and the result'
            cand --quiet 'Says only warnings, errors and the result'
            cand -h 'Print help'
            cand --help 'Print help'
            cand trust 'Shows the fingerprints of a host''s keys, and pins them in the project'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'ship;host;trust'= {
            cand --fingerprint 'Pins without asking: only when the host''s key has this fingerprint (SHA256:…)'
            cand -C 'Folder of the project; default: this one or the nearest above with a ship.toml'
            cand --project 'Folder of the project; default: this one or the nearest above with a ship.toml'
            cand --json 'Prints one event per line as JSON on stdout'
            cand --plain 'Prints plain lines, also at a terminal'
            cand -v 'Says more: round trips, and the output of steps as it comes'
            cand --verbose 'Says more: round trips, and the output of steps as it comes'
            cand -q 'Says only warnings, errors and the result'
            cand --quiet 'Says only warnings, errors and the result'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'ship;host;help'= {
            cand trust 'Shows the fingerprints of a host''s keys, and pins them in the project'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'ship;host;help;trust'= {
        }
        &'ship;host;help;help'= {
        }
        &'ship;try'= {
            cand -C 'Folder of the project; default: this one or the nearest above with a ship.toml'
            cand --project 'Folder of the project; default: this one or the nearest above with a ship.toml'
            cand --keep 'Keeps the folder and the running app for a look around, and says how to end it'
            cand --json 'Prints one event per line as JSON on stdout'
            cand --plain 'Prints plain lines, also at a terminal'
            cand -v 'Says more: round trips, and the output of steps as it comes'
            cand --verbose 'Says more: round trips, and the output of steps as it comes'
            cand -q 'Says only warnings, errors and the result'
            cand --quiet 'Says only warnings, errors and the result'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'ship;completions'= {
            cand -C 'Folder of the project; default: this one or the nearest above with a ship.toml'
            cand --project 'Folder of the project; default: this one or the nearest above with a ship.toml'
            cand --json 'Prints one event per line as JSON on stdout'
            cand --plain 'Prints plain lines, also at a terminal'
            cand -v 'Says more: round trips, and the output of steps as it comes'
            cand --verbose 'Says more: round trips, and the output of steps as it comes'
            cand -q 'Says only warnings, errors and the result'
            cand --quiet 'Says only warnings, errors and the result'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'ship;man'= {
            cand -C 'Folder of the project; default: this one or the nearest above with a ship.toml'
            cand --project 'Folder of the project; default: this one or the nearest above with a ship.toml'
            cand --json 'Prints one event per line as JSON on stdout'
            cand --plain 'Prints plain lines, also at a terminal'
            cand -v 'Says more: round trips, and the output of steps as it comes'
            cand --verbose 'Says more: round trips, and the output of steps as it comes'
            cand -q 'Says only warnings, errors and the result'
            cand --quiet 'Says only warnings, errors and the result'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'ship;help'= {
            cand init 'Writes a ship.toml for the project in this folder'
            cand check 'Validates ship.toml; with an environment, also looks at its hosts'
            cand pin 'Writes the exact runtimes, with checksums, to ship.lock'
            cand build 'Runs the build steps, as a deploy would'
            cand test 'Runs the test steps, as a deploy would'
            cand run 'Runs a command here as a build step would see it: with the project''s environment'
            cand setup 'Makes the hosts of an environment ready; says what it changed, and changes nothing twice'
            cand deploy 'Builds, tests, ships and switches to a new release; puts the old one back if it does not serve'
            cand rollback 'Goes back to the good release from before the current one'
            cand cancel 'Asks a running deploy to put the old release back and stop, whoever runs it'
            cand freeze 'Refuses every deploy until a time that you give; a rollback is allowed'
            cand thaw 'Ends a freeze: deploys are allowed again'
            cand status 'Shows what is live where, since when, and whether it is healthy right now'
            cand releases 'Lists the releases on the hosts: which are good, which is live'
            cand history 'Shows who deployed what, when, from which commit, with what outcome'
            cand logs 'Shows the logs of the services on all hosts together'
            cand exec 'Runs a command in the live release''s folder on a host, with its environment'
            cand restart 'Restarts services of the live release and proves that they serve'
            cand stop 'Stops services'
            cand start 'Starts services of the live release and proves that they serve'
            cand host 'Hosts and their keys'
            cand try 'Shows it all on this machine: a deploy, a broken one, the automatic way back'
            cand completions 'Prints the completions of a shell'
            cand man 'Prints the manual page, for `man -l -`'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'ship;help;init'= {
        }
        &'ship;help;check'= {
        }
        &'ship;help;pin'= {
        }
        &'ship;help;build'= {
        }
        &'ship;help;test'= {
        }
        &'ship;help;run'= {
        }
        &'ship;help;setup'= {
        }
        &'ship;help;deploy'= {
        }
        &'ship;help;rollback'= {
        }
        &'ship;help;cancel'= {
        }
        &'ship;help;freeze'= {
        }
        &'ship;help;thaw'= {
        }
        &'ship;help;status'= {
        }
        &'ship;help;releases'= {
        }
        &'ship;help;history'= {
        }
        &'ship;help;logs'= {
        }
        &'ship;help;exec'= {
        }
        &'ship;help;restart'= {
        }
        &'ship;help;stop'= {
        }
        &'ship;help;start'= {
        }
        &'ship;help;host'= {
            cand trust 'Shows the fingerprints of a host''s keys, and pins them in the project'
        }
        &'ship;help;host;trust'= {
        }
        &'ship;help;try'= {
        }
        &'ship;help;completions'= {
        }
        &'ship;help;man'= {
        }
        &'ship;help;help'= {
        }
    ]
    $completions[$command]
}
