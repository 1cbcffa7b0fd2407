#!/usr/bin/env bash
# What makes the terminal pleasant: completion in real shells, a manual page that man can show.
. "$(dirname "$0")/lib.sh"

"$rowtrail" completion bash > "$work/rowtrail.bash"
# complete_bash WORDS…: what bash offers for the last word.
complete_bash() {
  bash -c '. "$1"; shift; COMP_WORDS=(rowtrail "$@"); COMP_CWORD=$#; _rowtrail; printf "%s\n" "${COMPREPLY[@]}"' \
    _ "$work/rowtrail.bash" "$@"
}
offers() {  # EXPECTED WORDS…
  local expected="$1" got
  shift
  got="$(complete_bash "$@" | sort | tr '\n' ' ')"
  [ "$got" = "$expected " ] || { echo "got '$got', expected '$expected '"; return 1; }
}
check "bash: commands" offers "replay row rules run" r
check "bash: commands below a command" offers "backtest check explain learn test" rules ""
check "bash: values of an option" offers "csv" events --format c
check "bash: a command's own values win" offers "html json md text" summary --format ""
check "bash: options of a command and those of all" offers "--source --source-name --source-password-file --start --store" run --s
check "bash: options come after positional words too" offers "--at" row pharmacy.stock 7 --a

"$rowtrail" completion zsh > "$work/_rowtrail"
check "zsh reads its script" zsh -f -n "$work/_rowtrail"
cat > "$work/complete.zsh" << 'END'
# Types a line and Tab into a zsh of its own; done when what it offers holds the pattern.
zmodload zsh/zpty
zpty shell zsh -f
zpty -w shell "PS1=; fpath=($1 \$fpath); autoload -Uz compinit; compinit -u -d $1/dump; print rea''dy"
zpty -r -m shell line '*ready*'
zpty -n -w shell "rowtrail $2"$'\t\t'
zpty -r -m shell line "*$3*"
zpty -d shell
END
zsh_offers() { timeout 30 zsh -f "$work/complete.zsh" "$work" "$1" "$2"; }
check "zsh: commands below a command" zsh_offers 'completion ' fish
check "zsh: values of an option" zsh_offers 'summary --format ' html
check "zsh: options with what they mean" zsh_offers 'run --lis' listen

"$rowtrail" completion fish > "$work/rowtrail.fish"
fish_offers() {  # EXPECTED LINE
  local got
  got="$(fish --no-config -c "source '$work/rowtrail.fish'; complete -C 'rowtrail $2'" | cut -f1 | sort | tr '\n' ' ')"
  [ "$got" = "$1 " ] || { echo "got '$got', expected '$1 '"; return 1; }
}
check "fish: commands" fish_offers "replay row rules run" r
check "fish: commands below a command" fish_offers "backtest check explain learn test" "rules "
check "fish: values of an option" fish_offers "html json md text" "summary --format "

"$rowtrail" man > "$work/rowtrail.1"
check "groff has nothing to say about the manual page" bash -c "[ -z \"\$(groff -man -Tutf8 -ww -z '$work/rowtrail.1' 2>&1)\" ]"
groff -man -Tutf8 -P-cbou "$work/rowtrail.1" > "$work/page"
for command in $("$rowtrail" --help | sed -n '/^Subcommands:/,$s/^  \([a-z]*\) .*/\1/p'); do
  check "the manual page has rowtrail $command" grep -q "rowtrail $command" "$work/page"
done
finish
