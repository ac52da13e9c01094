# Settings and helpers of the test cluster's scripts; sourced, not run.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# Two clusters of different names may run side by side: every address below lies in
# network namespaces of the cluster's own.
name=${DYNAMO_KUBERNETES_NAME:-dynamo-kube}
node_count=${DYNAMO_KUBERNETES_NODES:-3}
cache=${XDG_CACHE_HOME:-$HOME/.cache}/dynamo
state=$cache/$name # Everything of the running cluster, the nodes' disks too.
pids=$state/pids logs=$state/logs pki=$state/pki
netns=$name                       # The control plane's; a node has $name-n1.
control_plane=198.18.0.1          # Nodes are 198.18.0.11 and on; pods of node I 198.18.I.0/24.
services=198.19                   # Services: 198.19.0.0/16.

# What the cluster's binaries and images are made of names the folder that holds them.
built_from() { (cd "$here" && cat build images pause.c tools/go.* tools/*/*.go | sha256sum | cut -c1-16); }
built=$cache/kubernetes-$(built_from)
bin=$built/bin images=$built/images
export PATH=$bin:$PATH:/usr/sbin:/sbin

log() { printf '%(%T)T %s\n' -1 "$*" >&2; }
die() { log "error: $*"; exit 1; }

nodes() { local i; for ((i = 1; i <= node_count; i++)); do echo "n$i"; done; }
node_address() { echo "198.18.0.$((10 + ${1#n}))"; }

# Cgroup version 2 alone, or version 1, hybrid included?
cgroup_v2() { [ -f /sys/fs/cgroup/cgroup.controllers ]; }

# Runs a command in the control plane's network.
in_network() { nsenter --net="/run/netns/$netns" "$@"; }
# kubectl as cluster admin.
kc() { in_network kubectl --kubeconfig="$state/admin.conf" "$@"; }

# When the process started; nothing if it has ended, even if nobody has reaped it yet.
start_time() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | awk '$1 != "Z" {print $20}'; }
# Is the process that FILE records (pid and start time) still the one that we started?
alive() {
  local pid start
  [ -s "$1" ] && read -r pid start <"$1" && [ "$(start_time "$pid")" = "$start" ]
}
record() { echo "$1 $(start_time "$1")" >"$2"; } # PID FILE

# Starts a process of the control plane, if it does not run: daemon NAME COMMAND...
daemon() {
  local what=$1; shift
  if alive "$pids/$what"; then return; fi
  nsenter --net="/run/netns/$netns" setsid "$@" >>"$logs/$what.log" 2>&1 </dev/null &
  record $! "$pids/$what"
}

# Ends a recorded process: stop FILE [SIGNAL]; after 5 s it is killed.
stop() {
  local pid i
  if alive "$1"; then
    read -r pid _ <"$1"
    kill "${2:--TERM}" "$pid" 2>/dev/null || true
    for ((i = 0; i < 100; i++)); do
      alive "$1" || break
      [ $i != 50 ] || kill -KILL "$pid" 2>/dev/null || true
      sleep .1
    done
  fi
  rm -f "$1"
}

# Removes a folder while we go on: a node's disk has tens of thousands of files.
remove_later() { # FOLDER
  [ -e "$1" ] || return 0
  local doomed
  doomed=$(mktemp -d "$cache/removed.XXXXXX")
  mv "$1" "$doomed"
  setsid rm -rf --one-file-system "$doomed" >/dev/null 2>&1 </dev/null &
}

wait_for() { # SECONDS WHAT COMMAND...
  local end=$((SECONDS + $1)) what=$2; shift 2
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $end ] || die "gave up waiting for $what; the logs are in $logs"
    sleep .3
  done
}

kube_proxy_config() { # FILE
  cat >"$1" <<EOF
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: ${DYNAMO_KUBERNETES_PROXY_MODE:-nftables}
clusterCIDR: 198.18.0.0/16
clientConnection: {kubeconfig: $state/kube-proxy.conf}
healthzBindAddress: 127.0.0.1:10256
metricsBindAddress: 127.0.0.1:10249
oomScoreAdj: 0
# The limits of connection tracking belong to the whole machine: left alone.
conntrack: {maxPerCore: 0, min: 0, tcpCloseWaitTimeout: 0s, tcpEstablishedTimeout: 0s}
nftables: {minSyncPeriod: 0s, syncPeriod: 30s}
iptables: {minSyncPeriod: 0s, syncPeriod: 30s}
EOF
}
