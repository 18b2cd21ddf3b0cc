# bash completion for ship: `ship complete` says what may come next.
_ship() {
    local cur=${COMP_WORDS[COMP_CWORD]} line word at
    # COMP_WORDS is broken at = : and @ as well; ship wants the words as they were typed.
    local -a words=()
    local before=${COMP_LINE:0:COMP_POINT} joined=
    for ((at = 1; at <= COMP_CWORD; at++)); do
        word=${COMP_WORDS[at]}
        before=${before#*"${COMP_WORDS[at - 1]}"}
        if [[ ${#words[@]} -gt 0 && $before != [[:space:]]* && -n $before ]]; then
            words[${#words[@]} - 1]+=$word
        else
            words+=("$word")
        fi
    done
    [[ ${#words[@]} -gt 0 ]] || words=("")
    joined=${words[${#words[@]} - 1]}
    # What bash replaces is the last of its own words only.
    local kept=${joined%"$cur"}
    [[ $cur == [=:@] ]] && kept=$joined && cur=
    COMPREPLY=()
    while IFS= read -r line; do
        line=${line%%$'\t'*}
        case $line in
            :files) compopt -o default 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
            :dirs) compopt -o dirnames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -d -- "$cur") ;;
            "$kept"*) COMPREPLY+=("${line#"$kept"}") ;;
        esac
    done < <("${COMP_WORDS[0]}" complete -- "${words[@]}" 2>/dev/null)
    [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == --*= ]] && compopt -o nospace 2>/dev/null
    return 0
}
complete -F _ship ship
