#!/bin/sh
# Written by oomadvisor: writes settings to /proc/sys, and takes them back.
@ABOUT@
#
# usage: sh THIS-FILE [apply|rollback|status] [--any-kernel]
#
# Without a word it does: @ACTION@. It exits with 0 when everything is as it was asked for, 1 when something is not,
# 2 when it refused to begin. For any POSIX shell, BusyBox ash of 2009 included. On a box that cannot start programs any
# more, run it inside the shell that you have:  set -- apply; . ./THIS-FILE
# It starts head(1) twice, to see what was there and what came of it, and works without as well.
#
# PROC=/some/copy tries it on a copy of /proc. KEEP=/file is where the old values are kept until the next reboot.

PROC=${PROC:-/proc}
KEEP=${KEEP:-/tmp/oomadvisor.old}
RELEASE=@RELEASE@
ACTION=@ACTION@
ANY=
failed=0

# One line for each: the file below /proc/sys, the new value, the one in the report, the file that a write zeroes.
settings() {
	:
@SETTINGS@
}
backwards() {
	:
@BACKWARDS@
}
# Writes that act once and leave nothing behind.
once() {
	:
@ONCE@
}

say() { echo "oomadvisor: $*"; }

release_fits() {
	IFS= read -r line <"$PROC/version" || line=
	set -f
	set -- $line
	set +f
	release=${3:-unknown}
	[ -n "$ANY" ] && return 0
	[ -n "$RELEASE" ] || return 1
	case $release in
	"$RELEASE" | "$RELEASE".* | "$RELEASE"-* | "$RELEASE"+*) return 0 ;;
	esac
	return 1
}

names_of() {
	names="$names $1"
	[ -z "$4" ] || names="$names $4"
}

# A shell reads one byte at a time, and of a number in /proc/sys that gives the first digit only. So head reads it.
look() {
	names=
	settings names_of
	[ -n "$names" ] || return 0
	seen=$(head -n 1 ../version $names 2>/dev/null)
}

# $1 = file: puts its value, as found in $text, into $held.
find_held() {
	wanted=$1
	held=
	here=
	keep_ifs=$IFS
	IFS='
'
	set -f
	set -- $text
	IFS=$keep_ifs
	for line in "$@"; do
		case $line in
		"==> $wanted <==") here=1 ;;
		"==> "*" <==") here= ;;
		*) if [ -n "$here" ]; then set -- $line; held=$*; here=; fi ;;
		esac
	done
	set +f
}

is_value() {
	case $1 in
	'' | *[!0-9\ -]*) return 1 ;;
	esac
}

keep_old() {
	if [ -h "$KEEP" ] || { [ -e "$KEEP" ] && [ ! -f "$KEEP" ]; }; then
		say "$KEEP is no plain file, so the old values are not kept there"
	elif [ -f "$KEEP" ]; then
		say "the old values stay as they were kept in $KEEP before"
	else
		set -C
		{ echo "$seen" >"$KEEP"; } 2>/dev/null || say "the old values cannot be kept in $KEEP; the report's will serve"
		set +C
	fi
}

put() {
	if [ ! -f "$1" ]; then
		say "$1: this kernel has no such file"
		return 1
	fi
	{ echo "$2" >"$1"; } 2>/dev/null || { say "$1: not written; is this root?"; return 1; }
}

write_one() {
	text=$before
	find_held "$1"
	if [ "$held" = "$2" ]; then
		say "$1: holds $2 already"
	else
		put "$1" "$2" || failed=1
	fi
}

check_one() {
	[ -f "$1" ] || return 0
	text=$before
	find_held "$1"
	was=$held
	text=$seen
	find_held "$1"
	if [ -z "$held" ]; then
		say "$1: $2 was written; it could not be read back"
	elif [ "$held" != "$2" ]; then
		say "$1: holds $held, not $2"
		failed=1
	elif [ "$was" != "$2" ]; then
		say "$1: ${was:-unknown} -> $2"
	fi
}

once_one() { put "$1" "$2" && say "$1: $2 was written, once"; }

# Old values: those kept by apply, else the report's. Of a pair that zero each other the one in force is written.
restore_one() {
	text=$kept
	find_held "$1"
	file=$1
	old=${held:-$3}
	if [ "$old" = 0 ] && [ -n "$4" ]; then
		file=$4
		find_held "$4"
		old=$held
	fi
	if ! is_value "$old"; then
		say "$file: the old value is not known; a restart brings back what the boot sets"
		failed=1
	elif put "$file" "$old"; then
		say "$file: $old is back"
	else
		failed=1
	fi
}

status_one() {
	text=$seen
	find_held "$1"
	say "$1: holds ${held:-nothing that could be read}; advised $2, in the report ${3:-unknown}"
	[ "$held" = "$2" ] || failed=1
}

main() {
	for word in "$@"; do
		case $word in
		apply | rollback | status) ACTION=$word ;;
		--any-kernel) ANY=1 ;;
		*) say "unknown word '$word'; expected apply, rollback, status or --any-kernel"; return 2 ;;
		esac
	done
	if ! release_fits; then
		say "this is Linux $release, and the advice is for ${RELEASE:-a kernel that the report does not name}"
		say "nothing was written; --any-kernel does it all the same"
		return 2
	fi
	cd "$PROC/sys" || return 2
	seen=
	case $ACTION in
	apply)
		look
		before=$seen
		keep_old
		settings write_one
		look
		settings check_one
		once once_one
		[ $failed = 0 ] && say "done; the way back: the same command with the word rollback"
		;;
	rollback)
		kept=
		if [ -f "$KEEP" ] && [ ! -h "$KEEP" ]; then
			while IFS= read -r line; do
				kept="$kept
$line"
			done <"$KEEP"
		else
			say "no values are kept in $KEEP; the report's are used"
		fi
		backwards restore_one
		;;
	status)
		look
		settings status_one
		;;
	esac
	return $failed
}

main "$@"
