# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Bash completion for scaph, scaph-guest-setup, scaph-prometheus, scaphd and scaph-vm; installed under each name.

_scaph() {
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
	local options="--lines --step --path --wait --timeout --file --replay --replay-speed --help"

	[[ $1 == scaph-prometheus || ${COMP_WORDS[1]} == prometheus ]] && options="--web.listen-address --web.telemetry-path --path --replay --replay-speed --help"
	[[ $1 == scaph-guest-setup || ${COMP_WORDS[1]} == guest-setup ]] &&
		options="--transport --dir --tag --exporter --undo --dry-run --root --sysfs --help --version"

	[[ ${COMP_WORDS[1]} == record ]] && options="--path --wait --timeout --help"
	[[ ${COMP_WORDS[1]} == run ]] && options="--output --json --path --wait --anyway --help"
	[[ ${COMP_WORDS[1]} == doctor ]] &&
		options="--guest --host --json --timeout --path --share-root --fstab --virsh --sysfs --procfs --devfs --help"

	case $before in
	--dir | --root | --sysfs | --procfs | --devfs | --share-root) mapfile -t COMPREPLY < <(compgen -d -- "$word") ;;
	--transport) mapfile -t COMPREPLY < <(compgen -W "virtiofs 9p ivshmem" -- "$word") ;;
	--path | --fstab | --virsh | --output | -o | --file | -f | --replay | record) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
	--replay-speed) mapfile -t COMPREPLY < <(compgen -W "1 4 max" -- "$word") ;;
	-n | -s | -t | --lines | --step | --wait | --timeout | --web.telemetry-path | --tag) COMPREPLY=() ;;
	--web.listen-address) mapfile -t COMPREPLY < <(compgen -W "127.0.0.1:8080 :8080" -- "$word") ;;
	run | --)
		mapfile -t COMPREPLY < <(compgen -c -W "$options" -- "$word")
		;;
	*)
		((COMP_CWORD == 1)) && [[ $1 == scaph ]] && options="text stdout json record run doctor prometheus guest-setup --help --version"
		mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
		;;
	esac
}

_scaphd() {
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}

	case $before in
	--config | --share-root | --state-dir | --host-dir | --shm-dir | --profile-dir | --record | --msr-path | --sysfs | --procfs | --cgroupfs | --resctrl | --topology | --run-dir | --qemu-server-dir) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
	--source) mapfile -t COMPREPLY < <(compgen -W "auto msr perf powercap model replay: ring: resctrl" -- "$word") ;;
	--meter) mapfile -t COMPREPLY < <(compgen -W "auto bpf cputime" -- "$word") ;;
	--idle) mapfile -t COMPREPLY < <(compgen -W "vcpus equal none" -- "$word") ;;
	--libvirt) mapfile -t COMPREPLY < <(compgen -W "qemu:///system none" -- "$word") ;;
	--discover) mapfile -t COMPREPLY < <(compgen -W "qemu none" -- "$word") ;;
	--discover-user) mapfile -t COMPREPLY < <(compgen -u -- "$word") ;;
	--log-level) mapfile -t COMPREPLY < <(compgen -W "error warning info debug" -- "$word") ;;
	--group) mapfile -t COMPREPLY < <(compgen -g -- "$word") ;;
	*)
		mapfile -t COMPREPLY < <(compgen -W "--source --model-watts --meter --window --sample --cpu-budget --domain \
			--libvirt --discover --discover-user --profile --idle --idle-watts --calibrate --record --share-root --group --allow-plain-dir --state-dir --host-dir --shm-dir --profile-dir --msr-path \
			--sysfs --procfs --cgroupfs --resctrl --topology --run-dir --qemu-server-dir --log-level \
			--check --config --help --version" -- "$word")
		;;
	esac
}

# A name may be anything that libvirt takes: one to a line, and quoted as this shell wants it.
_scaph_vm_domains() {
	local name

	while IFS= read -r name; do
		[[ -n $name && $name == "$1"* ]] && printf '%q\n' "$name"
	done < <(virsh -q list --all --name 2>/dev/null)
}

_scaph_vm() {
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}

	case $before in
	--share-root | --export-root | --state-dir | --shm-dir | --daemon-dir | --profile-dir | --pve-dir | --qemu-server-dir) mapfile -t COMPREPLY < <(compgen -d -- "$word") ;;
	-c | --connect) mapfile -t COMPREPLY < <(compgen -W "qemu:///system qemu:///session" -- "$word") ;;
	--settings) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
	--profile) mapfile -t COMPREPLY < <(compgen -W "trusted shared off" -- "$word") ;;
	--transport) mapfile -t COMPREPLY < <(compgen -W "virtiofs 9p ivshmem" -- "$word") ;;
	*)
		if ((COMP_CWORD == 1)); then
			mapfile -t COMPREPLY < <(compgen -W "enable disable list check repair auto prepare --help --version" -- "$word")
		elif [[ $word == -* ]]; then
			mapfile -t COMPREPLY < <(compgen -W "--connect --transport --profile --live --config --yes --dry-run --json --share-root --export-root \
				--state-dir --shm-dir --daemon-dir --profile-dir --settings --proxmox --pve-dir --qemu-server-dir --help --version" -- "$word")
		else
			mapfile -t COMPREPLY < <(_scaph_vm_domains "$word")
		fi
		;;
	esac
}

complete -F _scaph scaph scaph-guest-setup scaph-prometheus
complete -F _scaph_vm scaph-vm
complete -F _scaphd scaphd
