# What is run on the machine that a kernel is deployed to, as root: one verb a call. `root` is '' but for tests. POSIX shell
# and the programs named below; the first line of its output tells that it was reached. It comes over standard input, in front of
# what a verb reads there, for some ssh servers take no long commands (dropbear: 9,000 characters). Nothing of it is done
# when its end is missing.
set -u
export PATH="$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" LC_ALL=C
umask 022
# The second one is how long this text is.
root=$1 verb=$3
shift 3
boot=$root/boot
own=$boot/cairn
modules=$root/usr/lib/modules
variables=$root/sys/firmware/efi/efivars
guid=8be4df61-93ca-11d2-aa0d-00e098032b8c
run=$root/run/cairn-deploy

echo 'cairn-deploy 1'

refuse() {
    echo "refused $*"
    exit 3
}
# What was written is on the disk afterwards.
flush() { sync -f "$1" 2>/dev/null || sync; }
sum() { sha256sum <"$1" | cut -d ' ' -f 1; }
holds() { [ -f "$1" ] && [ "$(sum "$1")" = "$2" ]; }
hex() { od -An -v -tx1 | tr -d ' \n'; }

# One at a time; a connection that was cut holds it until its end was noticed here. One that was killed does not.
alone() {
    mkdir -p "$root/run"
    if ! mkdir "$run.lock" 2>/dev/null; then
        holder=$(cat "$run.lock/holder" 2>/dev/null)
        if [ -z "$holder" ] || kill -0 "$holder" 2>/dev/null; then refuse busy; fi
        mv "$run.lock" "$run.lock.$$" 2>/dev/null || refuse busy
        rm -rf "$run.lock.$$"
        mkdir "$run.lock" 2>/dev/null || refuse busy
    fi
    echo $$ >"$run.lock/holder"
    trap 'rm -rf "$run.lock"' EXIT
    trap 'exit 1' HUP INT TERM PIPE
}
this_start() { cat "$root/proc/sys/kernel/random/boot_id"; }
# note SUM: the kernel that runs, before what tells it from others is changed.
note() {
    [ -f "$run.running" ] && [ "$(sed 1d "$run.running")" = "$(this_start)" ] && return 0
    printf '%s\n%s\n' "$1" "$(this_start)" >"$run.running"
}
open_variables() {
    [ -d "$root/sys/firmware/efi" ] || return 1
    [ -e "$(echo "$variables"/BootCurrent-*)" ] || mount -t efivarfs efivarfs "$variables" 2>/dev/null
    [ -e "$(echo "$variables"/BootCurrent-*)" ]
}

look_at_start() {
    if [ -d "$root/sys/firmware/efi" ]; then
        echo 'way uefi'
        open_variables || echo 'lacks efivars'
        for variable in "$variables"/Boot*-"$guid"; do
            [ -f "$variable" ] || continue
            name=${variable##*/}
            case $name in
                BootCurrent-* | BootNext-* | Boot[0-9A-F][0-9A-F][0-9A-F][0-9A-F]-*)
                    echo "variable ${name%%-*} $(hex <"$variable")" ;;
            esac
        done
    elif tr -d '\0' <"$root/proc/device-tree/model" 2>/dev/null | grep -q '^Raspberry Pi'; then
        echo 'way raspberry-pi'
        if [ -f "$boot/config.txt" ]; then echo "config $(hex <"$boot/config.txt")"; fi
    else
        echo 'way other'
    fi
}
look_at_partition() {
    mounted=$(grep ' /boot vfat ' "$root/proc/mounts" | tail -n 1)
    case $mounted in
        /dev/*" /boot vfat rw"*) ;;
        *) return 0 ;;
    esac
    device=${mounted%% *}
    device=${device#/dev/}
    part=$root/sys/class/block/$device
    [ -f "$part/partition" ] || return 0
    disk=$(sed -n 's/^DEVNAME=//p' "$part/../uevent")
    echo "boot $(cat "$part/partition") $(cat "$part/start") $(cat "$part/size") $(df -k -P "$boot" | awk 'NR == 2 { print $4 }')"
    echo "table $(dd if="$root/dev/$disk" bs=4096 count=8 2>/dev/null | hex)"
}
look_at_files() {
    for file in "$boot"/EFI/BOOT/BOOT*.EFI "$boot"/*.img "$boot"/*.dtb "$own"/* "$own"/previous/*; do
        [ -f "$file" ] || continue
        echo "file $(sum "$file") $(wc -c <"$file" | tr -d ' ') ${file#"$boot"/}"
    done
    if [ -f "$run.running" ] && [ "$(sed 1d "$run.running")" = "$(this_start)" ]; then
        echo "running $(sed -n 1p "$run.running")"
    fi
}
look_at_modules() {
    [ -d "$modules/$1" ] || return 0
    echo 'modules there'
    (cd "$modules/$1" && find . -type f -exec sha256sum {} +) | sed -n 's|^\([0-9a-f]*\)  \./|module \1 |p'
}
look() {
    for program in sha256sum cut tr od sed awk grep dd df wc cp mv rm mkdir cat find tail sync tar uname sleep; do
        command -v "$program" >/dev/null || echo "lacks $program"
    done
    echo "release $(uname -r)"
    echo "processor $(uname -m)"
    echo "start $(this_start)"
    look_at_start
    look_at_partition
    look_at_files
    [ "$1" = - ] || look_at_modules "$1"
    echo 'end'
}

# stage NAME SUM FROM: a file beside those that start, from the boot partition or standard input.
stage() {
    alone
    mkdir -p "$own"
    rm -f "$own"/*.part
    if ! holds "$own/$1" "$2"; then
        if [ "$3" = - ]; then
            dd of="$own/$1.part" bs=1M conv=fsync 2>/dev/null || refuse full "$own"
        else
            cp "$boot/$3" "$own/$1.part" || refuse full "$own"
        fi
        holds "$own/$1.part" "$2" || refuse incomplete "$1"
        flush "$own"
        mv -f "$own/$1.part" "$own/$1" || refuse full "$own"
    fi
    flush "$own"
}
# clear NAME...: all that was staged before but for these and what was replaced last.
clear() {
    alone
    for file in "$own"/*; do
        [ -f "$file" ] || continue
        keep=
        for name in "$@"; do [ "${file##*/}" != "$name" ] || keep=1; done
        [ -n "$keep" ] || rm -f "$file"
    done
}
# modules RELEASE SUM: an archive on standard input with `sums` (which has this sum) and the files that are not there yet.
exchange_modules() {
    alone
    new=$modules/.cairn-new
    before=$modules/.cairn-previous
    rm -rf "$new"
    mkdir -p "$new"
    tar -x -f - -C "$new" 2>/dev/null || refuse incomplete modules
    holds "$new/sums" "$2" || refuse incomplete modules
    while read -r sum path; do
        [ ! -e "$new/files/$path" ] || continue
        mkdir -p "$new/files/${path%/*}" 2>/dev/null
        cp -p "$modules/$1/$path" "$new/files/$path" || refuse incomplete "$path"
    done <"$new/sums"
    (cd "$new/files" && sha256sum -c ../sums >/dev/null 2>&1) || refuse incomplete modules
    flush "$new"
    if [ -d "$modules/$1" ]; then
        rm -rf "$before"
        mv "$modules/$1" "$before" || refuse full "$modules"
    fi
    mv "$new/files" "$modules/$1" || refuse full "$modules"
    rm -rf "$new"
    flush "$modules"
}
# write_variable NAME ESCAPED: in one piece, as firmware wants it.
write_variable() {
    # shellcheck disable=SC2059
    printf "$2" >"$run.variable"
    dd if="$run.variable" of="$variables/$1-$guid" bs=65536 conv=notrunc 2>/dev/null || refuse variables
    holds "$variables/$1-$guid" "$(sum "$run.variable")" || refuse variables
    rm -f "$run.variable"
}
# try NAME ENTRY NEXT RUNNING: the firmware starts that entry next time, and never again by itself.
try() {
    alone
    open_variables || refuse variables
    note "$4"
    write_variable "$1" "$2"
    write_variable BootNext "$3"
}
# settle TO SUM NAME RUNNING: what was staged takes the place of what starts; RUNNING is the sum of the kernel that runs.
# The name leads to a whole file at any moment, wherever power fails: clusters of the former one are not free before the name
# leads to the new one on the disk, because the former one stays open until then.
settle() {
    alone
    note "$4"
    to=$boot/$1
    if holds "$to" "$2"; then
        rm -f "$own/$3"
    else
        holds "$own/$3" "$2" || refuse incomplete "$3"
        mkdir -p "$own/previous" "${to%/*}"
        if [ -f "$to" ]; then
            kept=$own/previous/${to##*/}
            cp "$to" "$kept.part" || refuse full "$own"
            holds "$kept.part" "$(sum "$to")" || refuse full "$own"
            flush "$own"
            mv -f "$kept.part" "$kept"
            flush "$own"
            exec 8<"$to"
        fi
        mv -f "$own/$3" "$to" || refuse full "$boot"
        flush "$boot"
        exec 8<&-
        flush "$boot"
    fi
}
# forget NAME...: variables of the firmware.
forget() {
    alone
    open_variables || refuse variables
    for name in "$@"; do rm -f "$variables/$name-$guid"; done
}
restart() {
    flush "$boot"
    flush "$modules"
    # The machine of a test is a folder.
    if [ -n "$root" ]; then
        : >"$root/run/restarts"
    elif [ -d /run/systemd/system ]; then
        systemctl --no-block reboot || refuse restart
    else
        # By its path: a busybox would take its own, which asks a first process that it knows.
        for program in /usr/sbin/reboot /sbin/reboot "$(command -v reboot)"; do
            [ ! -x "$program" ] || break
        done
        [ -x "$program" ] || refuse restart
        (trap '' HUP && sleep 1 && "$program") </dev/null >/dev/null 2>&1 &
    fi
}

case $verb in
    look) look "$@" ;;
    stage) stage "$@" ;;
    clear) clear "$@" ;;
    modules) exchange_modules "$@" ;;
    try) try "$@" ;;
    settle) settle "$@" ;;
    forget) forget "$@" ;;
    restart) restart ;;
esac
