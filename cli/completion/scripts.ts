// The completion scripts for bash, zsh and fish. They know no command: each asks `cairn __complete` what can follow.

export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

// bash takes "@" for the end of a word, so what stands before it must not be given again.
const bash = String.raw`_cairn() {
  local line="${'$'}{COMP_LINE:0:COMP_POINT}" words IFS=$' \t'
  read -ra words <<< "$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  local word="${'$'}{words[-1]}" IFS=$'\n'
  COMPREPLY=($("${'$'}{words[0]}" __complete -- "${'$'}{words[@]:1}" 2>/dev/null | cut -f1))
  [[ $COMP_WORDBREAKS == *@* ]] && COMPREPLY=("${'$'}{COMPREPLY[@]#"${'$'}{word%"${'$'}{word##*@}"}"}")
}
complete -o default -F _cairn cairn
`;

const zsh = String.raw`#compdef cairn
_cairn() {
  local -a found
  local line
  for line in "${'$'}{(@f)$("${'$'}{words[1]}" __complete -- "${'$'}{(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    [[ -n $line ]] && found+=("${'$'}{${'$'}{line%%$'\t'*}//:/\\:}:${'$'}{line#*$'\t'}")
  done
  if (( $#found )); then _describe cairn found; else _files; fi
}
if [[ $funcstack[1] == _cairn ]]; then _cairn "$@"; else compdef _cairn cairn; fi
`;

const fish = String.raw`complete -c cairn -f -a '(cairn __complete -- (commandline -opc)[2..] (commandline -ct) 2>/dev/null)'
complete -c cairn -l config -r -F
complete -c cairn -l store -r -F
complete -c cairn -l out-link -r -F
complete -c cairn -l to -r -F
`;

/** The script for a shell, to be sourced by it. */
export const completionScripts: Readonly<Record<Shell, string>> = { bash, zsh, fish };
