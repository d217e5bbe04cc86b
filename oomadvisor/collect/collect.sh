#!/bin/sh
# oomadvisor collect: prints the state of a box in one text, for oomadvisor to read.
#
#   sh collect.sh > bundle.txt        or through a serial line, ssh, telnet, adb:  ssh box sh -s < collect.sh > bundle.txt
#
# For POSIX shells, BusyBox ash of 2009 included. It writes to standard output only and changes nothing. What can be read
# by the shell itself comes first and starts no program, since on a box that lacks large blocks the next program to be
# started may be the one that is killed. After that it starts at most @EXECS@ programs, one at a time: head (the settings
# below /proc/sys, of which a shell reads the first digit only), dmesg (a second time where it does not know -s), df (of
# tmpfs alone, so that a dead network mount cannot hold it up), sleep (between two readings of the counters), zcat (the
# kernel's configuration). The last line says how many it were.
# On a box that cannot start any program more, run it in the shell that you have:  . ./collect.sh

PAUSE=@PAUSE@
REDACT=@REDACT@
PROC=${PROC:-/proc}
ETC=${ETC:-/etc}

execs=0
tag='#oomadvisor'

# Which builtin prints a line as it is: echo of dash and of Android's shell reads backslashes, printf of BusyBox may be a
# program of its own. The shell's own map names the file that it runs.
raw=echo
IFS= read -r line </proc/$$/maps 2>/dev/null || line=
case $line in
*/dash | */system/bin/sh | */mksh | */ksh*) raw=printf ;;
esac

put() {
	case $raw in
	echo) echo "$1" ;;
	*) printf '%s\n' "$1" ;;
	esac
}

# $1 = name in the bundle, $2 = file: prints it with the shell's own means, and how many lines there were.
show() {
	if [ ! -r "$2" ] || [ -d "$2" ]; then
		echo "$tag missing $1"
		return
	fi
	echo "$tag begin $1"
	count=0
	ended=
	while IFS= read -r line; do
		put "$line"
		count=$((count + 1))
	done <"$2"
	if [ -n "$line" ]; then
		put "$line"
		count=$((count + 1))
		ended=' unended'
	fi
	echo "$tag end $1 $count$ended"
}

# Values that may name the device or its owner are left out, unless they were asked for.
mask_words() {
	shown=
	set -f
	for word in $line; do
		case $word in
		*serial*=* | *[Mm][Aa][Cc]*=* | *ether*=* | *host*=* | *key*=* | *pass*=* | *secret*=* | *token*=* | *user*=* | ip=* | nfsroot=* | *id=*)
			word=${word%%=*}=REDACTED
			;;
		esac
		shown="$shown $word"
	done
	set +f
	line=${shown# }
}

show_cmdline() {
	[ -r "$PROC/cmdline" ] || { echo "$tag missing /proc/cmdline"; return; }
	IFS= read -r line <"$PROC/cmdline"
	echo "$tag begin /proc/cmdline"
	[ "$REDACT" = 1 ] && mask_words
	put "$line"
	echo "$tag end /proc/cmdline 1"
}

# The kernel's log, with its command line and hardware addresses masked.
hex='[0-9a-fA-F][0-9a-fA-F]'
address="$hex:$hex:$hex:$hex:$hex:$hex"
show_log() {
	if [ "$REDACT" != 1 ]; then
		run dmesg dmesg -s 262144 || run dmesg dmesg
		return
	fi
	execs=$((execs + 1))
	log=$(dmesg -s 262144 2>/dev/null) || {
		execs=$((execs + 1))
		log=$(dmesg 2>/dev/null)
	}
	echo "$tag begin dmesg"
	count=0
	keep_ifs=$IFS
	IFS='
'
	set -f
	for line in $log; do
		IFS=$keep_ifs
		case $line in
		*'ommand line: '*)
			head=${line%%ommand line: *}
			line=${line#*ommand line: }
			mask_words
			set -f
			line="${head}ommand line: $line"
			;;
		*$address*) line="${line%%$address*}XX:XX:XX:XX:XX:XX${line#*$address}" ;;
		esac
		put "$line"
		count=$((count + 1))
	done
	set +f
	IFS=$keep_ifs
	log=
	echo "$tag end dmesg $count"
}

# One line for each process: pid, oom_adj, VmSize, VmRSS, VmPTE (kB, - for a kernel thread), threads, state, name.
show_processes() {
	echo "$tag begin processes"
	echo "PID OOM_ADJ VMSIZE VMRSS VMPTE THREADS STATE NAME"
	count=1
	for folder in "$PROC"/[0-9]*; do
		[ -r "$folder/status" ] || continue
		name='?' state='?' size=- rss=- pte=- threads=- adj=-
		while read -r key value rest; do
			case $key in
			Name:) name="$value${rest:+ $rest}" ;;
			State:) state=$value ;;
			VmSize:) size=$value ;;
			VmRSS:) rss=$value ;;
			VmPTE:) pte=$value ;;
			Threads:) threads=$value ;;
			esac
		done 2>/dev/null <"$folder/status"
		[ -r "$folder/oom_adj" ] && read -r adj <"$folder/oom_adj"
		put "${folder##*/} ${adj:--} $size $rss $pte $threads $state $name"
		count=$((count + 1))
	done 2>/dev/null
	echo "$tag end processes $count"
}

# Runs a program whose output is a section of its own.
run() {
	name=$1
	shift
	execs=$((execs + 1))
	echo "$tag begin $name"
	"$@" 2>/dev/null
	status=$?
	echo "$tag end $name - status $status"
	return $status
}

show_settings() {
	set --
	for file in "$PROC"/sys/vm/* "$PROC"/sys/kernel/panic "$PROC"/sys/kernel/panic_on_oops "$PROC"/sys/kernel/osrelease \
		"$PROC"/sys/kernel/threads-max "$PROC"/sys/kernel/pid_max "$PROC"/sys/kernel/shmmax "$PROC"/sys/kernel/shmall \
		"$PROC"/sys/kernel/shmmni "$PROC"/sys/fs/file-nr "$PROC"/sys/net/core/rmem_max "$PROC"/sys/net/core/wmem_max \
		"$PROC"/sys/net/ipv4/tcp_mem; do
		[ -f "$file" ] && [ -r "$file" ] && set -- "$@" "$file"
	done
	[ $# -gt 0 ] && run settings head -n 1 "$@"
}

show_tmpfs() {
	[ -r "$PROC/mounts" ] || return
	set --
	while read -r device place type rest; do
		case $type:$place in
		*:*\\*) ;;
		tmpfs:* | ramfs:* | devtmpfs:*) set -- "$@" "$place" ;;
		esac
	done <"$PROC/mounts"
	[ $# -gt 0 ] && run df df -k "$@"
}

show_arguments() {
	[ "$REDACT" = 1 ] && return
	echo "$tag begin arguments"
	count=0
	for folder in "$PROC"/[0-9]*; do
		[ -r "$folder/cmdline" ] || continue
		line=
		IFS= read -r line <"$folder/cmdline"
		[ -z "$line" ] || { put "${folder##*/} $line"; count=$((count + 1)); }
	done 2>/dev/null
	echo "$tag end arguments $count"
}

echo "$tag bundle 1"
echo "$tag redacted $REDACT"
for one in version uptime buddyinfo zoneinfo vmstat meminfo pagetypeinfo swaps slabinfo; do
	show "/proc/$one" "$PROC/$one"
done
show_cmdline
show /proc/mounts "$PROC/mounts"
show /etc/sysctl.conf "$ETC/sysctl.conf"
for one in "$ETC"/sysctl.d/*.conf; do
	[ -r "$one" ] && show "/etc/sysctl.d/${one##*/}" "$one"
done
show_processes
# From here on programs are started.
show_log
show_settings
show_tmpfs
if [ "$PAUSE" != 0 ]; then
	run pause sleep "$PAUSE"
	for one in uptime vmstat; do
		show "/proc/$one" "$PROC/$one"
	done
fi
[ -r "$PROC/config.gz" ] && run /proc/config zcat "$PROC/config.gz"
show_arguments
echo "$tag done $execs"
