# elvish completion for ship: `ship complete` says what may come next.
use str
set edit:completion:arg-completer[ship] = {|@words|
    var lines = [(try { e:ship complete -- (all $words[1..]) 2>/dev/null } catch { })]
    for line $lines {
        var parts = [(str:split &max=2 "\t" $line)]
        if (has-value [:files :dirs] $parts[0]) {
            edit:complete-filename $words[-1]
        } elif (eq (count $parts) 2) {
            edit:complex-candidate $parts[0] &display=$parts[0]'  '$parts[1]
        } else {
            put $parts[0]
        }
    }
}
