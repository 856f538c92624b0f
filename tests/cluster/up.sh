#!/usr/bin/env bash
# Makes a cluster on this machine with everything that tests/cluster needs: engine, base images, our images, Kubernetes.
# For developers and continuous integration. Needs root and the maintainers' cluster tools beside the checkout; any
# other cluster that has the CloudNativePG operator, and the images that `make images` builds, serves as well.
# Usage: tests/cluster/up.sh [--fresh] [--drill] [what the tool's `up` takes, such as --nodes 3]
#   --fresh  take an earlier cluster down first      --drill  images and parts for `make drill` too
#   --have   say with the exit status whether this machine can do it, and do nothing
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
tools=${PILOTHOUSE_CLUSTER_TOOLS:-../shared/tools}
version=$(sed -n 's/^appVersion: *"\(.*\)"/\1/p' charts/pilothouse/Chart.yaml)
fresh='' parts=() bases=(debian python node postgres) images=(ghcr.io/cloudnative-pg/postgresql:18-standard-trixie)

have() { [ "$(id -u)" = 0 ] && [ -x "$tools/cluster/up" ] && [ -x "$tools/containers/engine-up" ]; }
step() { printf '%4ds  %s\n' "$SECONDS" "$*"; }

while [ $# -gt 0 ]; do
  case $1 in
    --have) have && exit 0 || exit 1 ;;
    --fresh) fresh=yes ;;
    --drill)
      parts+=(--s3) bases+=(system pooler)
      images+=(ghcr.io/cloudnative-pg/postgresql:18-system-trixie ghcr.io/cloudnative-pg/pgbouncer:1.25.1) ;;
    *) parts+=("$1") ;;
  esac
  shift
done
have || { echo "No cluster can be made here: that needs root and the cluster tools in $tools." >&2; exit 1; }

step "starting the container engine"
"$tools/containers/engine-up"
step "base images"
"$tools/containers/base-images" "${bases[@]}" >/dev/null
step "our images"
make --no-print-directory images VERSION="$version"
if [ "$fresh" ]; then
  step "removing an earlier cluster"
  "$tools/cluster/down"
fi
step "starting the cluster"
"$tools/cluster/up" "${parts[@]}"
# The new cluster is meant, whatever other one this machine may know.
export KUBECONFIG=/etc/node/admin.conf
# As in other clusters: without a share of its own, name look-ups starve when many pods start on two cores.
kubectl -n kube-system set resources deployment/coredns --requests=cpu=100m,memory=70Mi >/dev/null
for name in ingest query chat-ui model-server; do images+=("ghcr.io/pilothouse/$name:$version"); done
step "loading ${#images[@]} images"
"$tools/cluster/load" "${images[@]}"
step "the cluster is ready"
