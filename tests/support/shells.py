"""Asks real shells what they offer for an unfinished command line."""

import contextlib
import fcntl
import os
import pathlib
import pty
import re
import select
import shlex
import subprocess
import termios
import time

BASH = r"""
shopt -s progcomp extglob
source /usr/share/bash-completion/bash_completion
while IFS= read -r COMP_LINE; do
  COMP_POINT=${#COMP_LINE} COMP_WORDS=() COMPREPLY=()
  while IFS= read -r word && [[ $word != . ]]; do COMP_WORDS+=("${word#+}"); done
  COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
  _completion_loader "${COMP_WORDS[0]}"
  read -ra spec < <(complete -p "${COMP_WORDS[0]}")
  for word in "${!spec[@]}"; do [[ ${spec[word]} == -F ]] && function=${spec[word + 1]}; done
  "$function" "${COMP_WORDS[0]}" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
  printf '%s\n' "${COMPREPLY[@]}" --
done
"""

# The candidates, and after a control-T what the line has become.
ZSH = r"""
PS1= ; setopt no_beep; unsetopt zle_bracketed_paste 2>/dev/null; zle_bracketed_paste=()
exec {results}>"$RESULTS"
fpath=("$FUNCTIONS" $fpath)
autoload -Uz compinit; compinit -u -D
zstyle ':completion:*' insert-tab false
bindkey '^I' complete-word
compadd() {
  if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]]; then builtin compadd "$@"; return; fi
  local -a found
  builtin compadd -O found "$@"
  print -rl -u $results -- $found
  builtin compadd "$@"
}
tell() { print -r -u $results -- "= $BUFFER"; BUFFER=; zle redisplay; }
zle -N tell; bindkey '^T' tell
print -u $results ready
"""


def _answers(text, count):
    """Of each question the lines up to '--'."""
    parts = text.split("--\n")
    assert len(parts) == count + 1, text
    return [[line for line in part.split("\n") if line] for part in parts[:-1]]


def _cut(line):
    """As bash cuts a line into words: at spaces, and '=' and ':' are words."""
    words = shlex.split(line.replace("=", " = ").replace(":", " : "))
    return words + ([""] if line.endswith((" ", "=", ":")) else [])


def bash(lines, env, cwd):
    """What bash offers for each of the lines; `env` finds the files as it does when they are installed."""
    asked = "".join(f"{line}\n" + "".join(f"+{word}\n" for word in _cut(line)) + ".\n" for line in lines)
    done = subprocess.run(["bash", "--norc", "-c", BASH], input=asked, env=env, cwd=cwd, capture_output=True, text=True, timeout=120)
    faults = [line for line in done.stderr.splitlines() if "compopt" not in line]  # for which one must be completing
    assert done.returncode == 0 and not faults, faults
    return _answers(done.stdout, len(lines))


def fish(lines, env, cwd):
    script = "".join(f"complete -C {shlex.quote(line)}; printf '%s\\n' --\n" for line in lines)
    done = subprocess.run(["fish"], input=script, env=env, cwd=cwd, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and not done.stderr, done.stderr
    return [[line.split("\t")[0] for line in answer] for answer in _answers(done.stdout, len(lines))]


class Zsh:
    """A zsh at a terminal, in which TAB is pressed. It begins with a file of ours in HOME."""

    def __init__(self, functions, env, cwd):
        home = pathlib.Path(env["HOME"])
        results = home / "results"
        os.mkfifo(results)
        (home / ".zshrc").write_text(ZSH, encoding="utf-8")
        self._results = os.open(results, os.O_RDWR)
        self._text = ""
        self.terminal, theirs = pty.openpty()
        env = env | {"RESULTS": str(results), "FUNCTIONS": str(functions), "TERM": "dumb"}

        def own_terminal():
            fcntl.ioctl(theirs, termios.TIOCSCTTY, 0)
        self._process = subprocess.Popen(["zsh", "-d", "-i"], stdin=theirs, stdout=theirs, stderr=theirs, env=env, cwd=cwd,
                                         start_new_session=True, preexec_fn=own_terminal)
        os.close(theirs)
        self._seen = b""
        self._until(r"ready\n")

    def _until(self, end):
        """What has come up to `end`, and the match."""
        deadline = time.monotonic() + 60
        while not (match := re.search(end, self._text)):
            ready, _, _ = select.select([self._results, self.terminal], [], [], max(0, deadline - time.monotonic()))
            assert ready, (self._text, self._seen)
            if self.terminal in ready:  # what nobody read would hold it up
                self._seen += os.read(self.terminal, 65536)
            if self._results in ready:
                self._text += os.read(self._results, 65536).decode()
        before, self._text = self._text[:match.start()], self._text[match.end():]
        return before, match

    def ask(self, line):
        """What it offers, and what the line is then."""
        os.write(self.terminal, line.encode() + b"\t\x14")
        before, match = self._until(r"= (.*)\n")
        return [word for word in before.split("\n") if word], match[1]

    def close(self):
        os.close(self.terminal)  # it hangs up
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(10)
        self._process.kill()
        self._process.wait()
        os.close(self._results)
