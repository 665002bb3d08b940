# What the cluster is made of; a change here, in build.sh or in kubernetes.patch means a new build.
# shellcheck shell=bash disable=SC2034
KUBERNETES_VERSION=1.20.2
KUBERNETES_PACKAGE=1.20.5+really1.20.2-1.1+deb12u1
PACKAGES="golang-1.19-go etcd-server containerd runc containernetworking-plugins busybox-static iptables nftables conntrack kubernetes-client"
