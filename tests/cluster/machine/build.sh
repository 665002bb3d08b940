#!/usr/bin/env bash
# Builds a Kubernetes cluster's programs into the folder $1 from Debian's packages alone, without touching the system's own apt state:
# packages are fetched with private lists and unpacked, never installed; kubernetes is compiled from Debian's source package with
# Debian's Go, after what kubernetes.patch says. Every step is skipped when its result is there, so a build that was broken off goes on where it stopped.
set -euo pipefail
umask 022
target=$1; here=$(cd "$(dirname "$0")" && pwd); . "$here/versions.sh"
work=$target/work; root=$target/root; bin=$target/bin
mkdir -p "$work"/{apt/sources,apt/lists/partial,apt/archives/partial,source,go} "$root" "$bin"
began=$SECONDS
step() { printf 'cluster: %4d s  %s\n' $((SECONDS - began)) "$*"; }
fail() { echo "cluster: $*" >&2; exit 1; }

private_apt() {
  apt-get -qq -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$work/apt/sources" -o Dir::State::lists="$work/apt/lists" \
    -o Dir::Cache::archives="$work/apt/archives" -o Dir::Cache::srcpkgcache= -o Dir::Cache::pkgcache= -o APT::Sandbox::User=root "$@"
}

fetch() {
  step "fetching Debian's packages (about 190 MB)"
  local list
  for list in /etc/apt/sources.list.d/*.sources; do   # the machine's own mirrors, with the source packages switched on
    [ -e "$list" ] && sed 's/^Types:.*/Types: deb deb-src/' "$list" > "$work/apt/sources/$(basename "$list")"
  done
  for list in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
    [ -e "$list" ] && sed -n 's/^deb\s\(.*\)/deb \1\ndeb-src \1/p' "$list" > "$work/apt/sources/$(basename "$list")"
  done
  private_apt update
  (cd "$work/source" && private_apt source --download-only "kubernetes=$KUBERNETES_PACKAGE") ||
    fail "Debian's source package kubernetes $KUBERNETES_PACKAGE cannot be fetched here; it is in Debian 12 (bookworm), whose mirror must serve sources (deb-src)"
  # shellcheck disable=SC2086
  private_apt install -y --download-only --reinstall --no-install-recommends $PACKAGES >/dev/null ||
    fail "Debian's packages cannot be fetched here: $PACKAGES"
}

unpack() {
  step "unpacking"
  local package tool
  for package in "$work"/apt/archives/*.deb; do dpkg-deb -x "$package" "$root"; done
  for tool in iptables iptables-save iptables-restore ip6tables ip6tables-save ip6tables-restore; do ln -sf "$root/usr/sbin/xtables-nft-multi" "$bin/$tool"; done
  rm -rf "$work/kubernetes" && dpkg-source --no-check -x "$work"/source/kubernetes_*.dsc "$work/kubernetes" >/dev/null
}

mend() {
  step "mending"
  patch -s -d "$work/kubernetes" -p1 < "$here/kubernetes.patch"
}

go_setup() {   # Debian's way: no modules (Go 1.19 refuses this go.mod), everything vendored
  export GOROOT=$root/usr/lib/go-1.19 PATH=$root/usr/lib/go-1.19/bin:$PATH GO111MODULE=off GOFLAGS= GOPROXY=off CGO_ENABLED=0
  export GOPATH=$work/kubernetes/.go GOCACHE=$work/go GOTMPDIR=$work/go
  mkdir -p "$GOPATH/src/k8s.io" && ln -sfn ../../.. "$GOPATH/src/k8s.io/kubernetes"
  cd "$GOPATH/src/k8s.io/kubernetes"
}

generate() {   # the one generated file that the source package lacks
  step "generating the API's description"
  local packages
  go build -o "$work/openapi-gen" ./vendor/k8s.io/kube-openapi/cmd/openapi-gen
  packages=$(grep -rlE '^// \+k8s:openapi-gen=' --include='*.go' pkg staging/src/k8s.io vendor/k8s.io | xargs -n1 dirname | sort -u |
    sed -e 's#^staging/src/##' -e 's#^vendor/##' -e 's#^pkg/#k8s.io/kubernetes/pkg/#' |
    grep -vE 'sample|_examples|testdata|code-generator|/test/' | paste -sd,)
  "$work/openapi-gen" --v 0 --logtostderr -i "$packages" -p k8s.io/kubernetes/pkg/generated/openapi -O zz_generated.openapi \
    -h hack/boilerplate/boilerplate.generatego.txt -r "$work/violations" --output-base "$work/generated"
  cp "$work/generated/k8s.io/kubernetes/pkg/generated/openapi/zz_generated.openapi.go" pkg/generated/openapi/
}

compile() {
  local stamp=k8s.io/kubernetes/vendor/k8s.io/component-base/version program
  for program in kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy; do
    [ -x "$bin/$program" ] && continue
    step "compiling $program"
    go build -trimpath -ldflags "-s -w -X $stamp.gitVersion=v$KUBERNETES_VERSION -X $stamp.gitMajor=1 -X $stamp.gitMinor=20" -o "$bin/$program.new" "./cmd/$program"
    mv "$bin/$program.new" "$bin/$program"
  done
}

[ -e "$work/fetched" ] || { fetch; touch "$work/fetched"; }
[ -e "$work/unpacked" ] || { unpack; touch "$work/unpacked"; }
[ -e "$work/mended" ] || { mend; touch "$work/mended"; }
go_setup
[ -e pkg/generated/openapi/zz_generated.openapi.go ] || generate
compile
step "compiling the programs of the images"
for program in pause app; do go build -ldflags "-s -w" -o "$bin/$program" "$here/$program.go"; done
cd "$target"
[ -n "${GAMEDAY_CLUSTER_KEEP_WORK:-}" ] || rm -rf "$work" "$root/usr/lib/go-1.19" "$root/usr/share"
step "built: $(du -sh "$target" | cut -f1)"
