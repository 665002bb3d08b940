#!/usr/bin/env bash
# Builds deploy/kubernetes/Containerfile of the checkout $2 with Debian's buildah, without a daemon, a registry, or anything installed:
# everything is kept in the folder $1, and the image goes to the OCI archive $3 as $4. $5 is a pip.conf, and the words after it are
# --volume options, by which pip in the image finds what pip finds here. The image that it begins with has the name that the
# Containerfile says, and is made here of Debian's packages, with their Python.
set -euo pipefail
umask 022
home=$1 checkout=$2 archive=$3 name=$4 pip=$5
shift 5
if [ -z "${GAMEDAY_IMAGE_INSIDE:-}" ]; then GAMEDAY_IMAGE_INSIDE=1 exec unshare --mount bash "$0" "$home" "$checkout" "$archive" "$name" "$pip" "$@"; fi
root=$home/root base=$home/base
BASE_NAME=docker.io/library/python:3.13-slim
TOOLS="buildah"
IN_BASE="dash coreutils libstdc++6 passwd base-files base-passwd libc-bin grep sed tar gzip ca-certificates python3 python3-pip"
mkdir -p "$home"/{apt/sources,apt/lists/partial,tools/partial,packages/partial,tmp} "$root" "$base"

private_apt() {
  apt-get -qq -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$home/apt/sources" -o Dir::State::lists="$home/apt/lists" \
    -o Dir::Cache::srcpkgcache= -o Dir::Cache::pkgcache= -o APT::Sandbox::User=root "$@"
}

fetch() {
  echo "image: fetching Debian's packages (about 45 MB)"
  cp /etc/apt/sources.list.d/*.sources /etc/apt/sources.list.d/*.list "$home/apt/sources/" 2>/dev/null || true
  if [ -s /etc/apt/sources.list ]; then cp /etc/apt/sources.list "$home/apt/sources/machine.list"; fi
  private_apt update
  # shellcheck disable=SC2086
  private_apt -o Dir::Cache::archives="$home/tools" install -y --download-only --reinstall --no-install-recommends $TOOLS >/dev/null
  # shellcheck disable=SC2086
  private_apt -o Dir::Cache::archives="$home/packages" -o Dir::State::status=/dev/null install -y --download-only --no-install-recommends $IN_BASE >/dev/null
}

unpack() {
  local package
  for package in "$home"/tools/*.deb; do dpkg-deb -x "$package" "$root"; done
  for package in "$home"/packages/*.deb; do dpkg-deb -x "$package" "$base"; done
  cp "$base/usr/share/base-passwd/passwd.master" "$base/etc/passwd"
  cp "$base/usr/share/base-passwd/group.master" "$base/etc/group"
  touch "$base/etc/shadow"
  ln -sf python3 "$base/usr/bin/python"
  rm -f "$base"/usr/lib/python3*/EXTERNALLY-MANAGED   # in the image of that name pip may install, too
  printf 'short-name-mode="permissive"\nunqualified-search-registries=["docker.io"]\n' > "$root/etc/containers/registries.conf"
}

build() { buildah --root "$home/store" --runroot "$home/run" --storage-driver overlay --registries-conf "$root/etc/containers/registries.conf" "$@"; }
policy=(--signature-policy "$root/etc/containers/policy.json")

make_base() {
  local container
  container=$(build from "${policy[@]}" scratch)
  build copy -q "$container" "$base" / >/dev/null
  build config --env PATH=/usr/local/bin:/usr/local/sbin:/usr/bin:/usr/sbin:/bin:/sbin "$container"
  build commit "${policy[@]}" -q "$container" "$BASE_NAME" >/dev/null
  build rm "$container" >/dev/null
}

[ -e "$home/fetched" ] || { fetch; touch "$home/fetched"; }
[ -e "$home/unpacked" ] || { unpack; touch "$home/unpacked"; }
libraries=$(cd "$root" && echo usr/lib/*-linux-gnu*)
mount -t overlay overlay -o "lowerdir=$root/$libraries:/$libraries" "/$libraries"   # buildah starts itself again without its environment
export PATH=$root/usr/bin:$root/usr/sbin:$PATH CONTAINERS_CONF=/dev/null TMPDIR=$home/tmp
[ -e "$home/based" ] || { make_base; touch "$home/based"; rm -rf "$base" "$home/packages" "$home/apt"; }
echo "image: building the Containerfile"
build bud "${policy[@]}" --pull-never --isolation chroot --network host --layers=false -q --volume "$pip:/etc/pip.conf:ro" "$@" \
  -t "$name" -f "$checkout/deploy/kubernetes/Containerfile" "$checkout"
build push "${policy[@]}" -q "$name" "oci-archive:$archive.new:$name"
build rmi "$name" >/dev/null
mv "$archive.new" "$archive"
