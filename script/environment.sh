# Sourced by script/up, test, check and lock, in the top directory of the checkout: finds a Python
# and keeps .venv as the locks in requirements/ say.

say() { printf '%s\n' "$*" >&2; }

# refuse SENTENCE: for a mistake that the person who called can mend.
refuse() {
    say "$*"
    exit 2
}

# Run by each candidate. Only what really runs this and answers in this form is a Python: a shim
# may print an error and still end well.
python_facts='
import sys
missing = []
for name in ("venv", "ensurepip", "ssl", "sqlite3"):
    try:
        __import__(name)
    except ImportError:
        missing.append(name)
base = getattr(sys, "_base_executable", None) or sys.executable
print("%d.%d|%s|%s" % (sys.version_info[0], sys.version_info[1], base, " ".join(missing)))
'

# ask_python VERSION COMMAND: sets $python when COMMAND is a whole Python of that version.
ask_python() {
    answer=$("$2" -c "$python_facts" 2>/dev/null </dev/null) || return 1
    case $answer in
    "$1|"*"|")
        python=${answer#*|}
        python=${python%|}
        ;;
    "$1|"*)
        incomplete=${incomplete:-$answer}
        return 1
        ;;
    *) return 1 ;;
    esac
}

# describe_incomplete ANSWER: one sentence on a Python that lacks a part of itself.
describe_incomplete() {
    version=${1%%|*}
    lacking=${1##*|}
    place=${1#*|}
    place=${place%|*}
    case " $lacking " in
    *" venv "* | *" ensurepip "*)
        printf 'Python %s (%s) lacks %s: install its package, on Debian and Ubuntu: apt-get install python%s-venv' \
            "$version" "$place" "$lacking" "$version"
        ;;
    *)
        printf 'Python %s (%s) was built without %s: install a whole Python %s' \
            "$version" "$place" "$lacking" "$version"
        ;;
    esac
}

# find_python [VERSIONS]: sets $python to the first that is there, else ends with one sentence.
find_python() {
    python='' incomplete=''
    for version in ${1:-3.13 3.12 3.14}; do
        for name in "python$version" python3 python; do
            ask_python "$version" "$name" && break 2
        done
        if command -v uv >/dev/null 2>&1; then
            found=$(uv python find --system "$version" 2>/dev/null) || continue
            ask_python "$version" "$found" && break
        fi
    done
    if [ -z "$python" ] && [ -n "$incomplete" ]; then
        refuse "$(describe_incomplete "$incomplete"), then start again."
    elif [ -z "$python" ]; then
        refuse "Opsboard needs a Python ${1:-3.13, 3.12 or 3.14} and found none: install one (on Debian and Ubuntu: apt-get install python3 python3-venv where that is new enough, or: uv python install 3.13), then start again."
    elif [ -n "$incomplete" ]; then
        say "$(describe_incomplete "$incomplete"); going on with $python."
    fi
}

# environment_is_ready LOCK: .venv runs, and holds what requirements/LOCK.txt says. The copy of
# the lock in .venv is written last, so an interrupted installation is never taken for done.
environment_is_ready() {
    cmp -s "requirements/$1.txt" ".venv/$1.txt" && .venv/bin/python -I -S -c '' 2>/dev/null
}

# A registry that does not answer is told from all else that pip can complain of.
explain_pip() {
    if grep -qiE 'connection (broken|refused|to|error)|NameResolution|timed out|unreachable|ProxyError|Max retries' "$1"; then
        say "The packages in $2 could not be downloaded: no package registry answers. Connect this machine to the network (or name a mirror it reaches in PIP_INDEX_URL), then start again."
    else
        say "The packages in $2 could not be installed: $(grep -i '^error' "$1" | tail -n 1)"
    fi
}

# Without a stamp .venv is half-made, or not ours: what pip left in it cannot be trusted.
remake_environment() {
    find_python
    rm -rf .venv
    "$python" -m venv .venv || refuse "$python could not make .venv in $(pwd)."
}

install_lock() {
    mkdir -p .venv/before
    mv -f .venv/run.txt .venv/demo.txt .venv/dev.txt .venv/before/ 2>/dev/null || :
    if ! .venv/bin/python -m pip install --quiet --no-input --disable-pip-version-check \
        --retries 2 --require-hashes -r "requirements/$1.txt" >.venv/install.log 2>&1; then
        explain_pip .venv/install.log "requirements/$1.txt"
        # pip changes nothing before it has downloaded everything: what was there still holds.
        mv -f .venv/before/*.txt .venv/ 2>/dev/null || :
        exit 2
    fi
    rm -rf .venv/before
    # Each lock holds those before it: run, demo, dev.
    for lock in run demo dev; do
        cp "requirements/$lock.txt" .venv/stamp && mv -f .venv/stamp ".venv/$lock.txt"
        [ "$lock" != "$1" ] || break
    done
}

# make_environment LOCK: .venv as requirements/LOCK.txt says (dev holds demo, demo holds run). Touches nothing, and
# needs no network, when it is so already. Two at once take turns where flock is installed.
make_environment() {
    environment_is_ready "$1" && return
    (
        trap 'exit 130' INT TERM
        flock 9 2>/dev/null || :
        environment_is_ready "$1" && exit 0
        say "Installing the packages of requirements/$1.txt into .venv (once; about a minute)."
        if ! .venv/bin/python -m pip --version >/dev/null 2>&1 ||
            ! { [ -f .venv/run.txt ] || [ -f .venv/demo.txt ] || [ -f .venv/dev.txt ]; }; then
            remake_environment
        fi
        install_lock "$1"
    ) 9<pyproject.toml || exit $?
}
