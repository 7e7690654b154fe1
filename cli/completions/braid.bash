# Completion of the braid command for bash: commands, their options, the values of options, files.

# The options of a command; "" is braid without one.
_braid_options() {
  local database="--option --read-only"
  local formats="--box --table --csv --json --jsonl --markdown --line --insert"
  case $1 in
    "") echo "--help --version --file --keep-going $formats $database" ;;
    import)
      echo "--help --table --hypertable --nodes --key --edges --from --to --edge-key --graphml --line-protocol --label --edge-type" \
        "--type --time --time-unit --tag --null --separator --resume --batch --verbose $database"
      ;;
    graph)
      echo "--help --from --hops --along --all --label --query --type --max-nodes --svg --graphml --dot --json --weight --caption" \
        "--method --seed $database"
      ;;
    plot) echo "--help --svg --title --width --height $database" ;;
    check) echo "--help $database" ;;
    backup) echo "--help --base --copy --prune-archive --rate $database" ;;
    restore) echo "--help --link --archive --to-lsn --to-time --rate" ;;
    repair) echo "--help" ;;
    stats) echo "--help --prometheus $formats $database" ;;
    export) echo "--help --format --model $database" ;;
    tail) echo "--help --model --count --until-idle $database" ;;
    demo | help) echo "--help" ;;
  esac
}

_braid_commands="import graph plot check backup restore repair stats export tail demo help"

# The values of an option of a command: words, "FILE", "DIR", or "ANY" for what nobody can guess. Nothing for an option without a value.
_braid_values() {
  case $1:$2 in
    :--file | :-f | *:--svg | *:--graphml | *:--dot | graph:--json) [ "$1:$2" = import:--graphml ] || echo FILE ;;
    backup:--base | restore:--archive) echo DIR ;;
    export:--format) echo "csv sql" ;;
    export:--model | tail:--model) echo "rows graph series" ;;
    graph:--along) echo "out in both" ;;
    graph:--method) echo "auto spring circle layers" ;;
    import:--time-unit) echo "s ms us ns" ;;
    import:--separator) echo "tab" ;;
    restore:--to-lsn | restore:--to-time | *:--option | *:--rate | *:--title | *:--width | *:--height | *:--key | *:--from | *:--to | *:--edge-key | *:--label | *:--edge-type) echo ANY ;;
    *:--type | *:--time | *:--tag | *:--null | *:--resume | *:--batch | *:--nodes | *:--edges | *:--hypertable | import:--table) echo ANY ;;
    *:--count | *:--until-idle | *:--hops | *:--query | *:--max-nodes | *:--weight | *:--caption | *:--seed) echo ANY ;;
  esac
}

_braid() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command="" place=0 i
  COMPREPLY=()
  # What is not an option or its value counts: the command, then what it works on.
  for ((i = 1; i < COMP_CWORD; ++i)); do
    case ${COMP_WORDS[i]} in
      -*) [ -z "$(_braid_values "$command" "${COMP_WORDS[i]}")" ] || ((++i)) ;;
      *)
        if [ $place -eq 0 ] && [[ " $_braid_commands " == *" ${COMP_WORDS[i]} "* ]]; then
          command=${COMP_WORDS[i]}
        else
          ((++place))
        fi
        ;;
    esac
  done
  local values
  values=$(_braid_values "$command" "$before")
  case $values in
    "") ;;
    FILE) COMPREPLY=($(compgen -f -- "$word")) && return ;;
    DIR) COMPREPLY=($(compgen -d -- "$word")) && return ;;
    ANY) return ;;
    *) COMPREPLY=($(compgen -W "$values" -- "$word")) && return ;;
  esac
  if [[ $word == -* ]]; then
    COMPREPLY=($(compgen -W "$(_braid_options "$command")" -- "$word"))
  elif [ "$command" = help ]; then
    COMPREPLY=($(compgen -W "$_braid_commands" -- "$word"))
  elif [ -z "$command" ] && [ $place -eq 0 ]; then
    COMPREPLY=($(compgen -W "$_braid_commands" -- "$word") $(compgen -d -- "$word"))
  elif [ "$command" = import ] && [ $place -ge 1 ]; then
    COMPREPLY=($(compgen -f -- "$word"))
  elif [ -n "$command" ]; then
    COMPREPLY=($(compgen -d -- "$word"))
  fi
}

complete -o filenames -F _braid braid
