"""What each node's containerd, network plugin and kubelet are told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.cluster.machine.images import PAUSE
from tests.cluster.machine.place import CGROUP, Place


def write_node(place: Place, number: int) -> Path:
    """Write the files of one node; return its folder."""
    folder = place.run / f"node{number}"
    for name in ("containerd", "state", "cni", "kubelet", "manifests", "plugins", "opt"):
        (folder / name).mkdir(parents=True)
    (folder / "containerd.toml").write_text(_containerd(place, folder))
    (folder / "cni" / "10-bridge.conflist").write_text(json.dumps(_network(folder, number), indent=1))
    (folder / "kubelet.json").write_text(json.dumps(_kubelet(place, folder, number), indent=1))
    return folder


def _containerd(place: Place, folder: Path) -> str:
    root = place.build / "root"
    return f"""version = 2
root = "{folder}/containerd"
state = "{folder}/state"
[grpc]
  address = "{folder}/containerd.sock"
[plugins."io.containerd.internal.v1.opt"]
  path = "{folder}/opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{PAUSE}"
  disable_apparmor = true
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        BinaryName = "{root}/usr/sbin/runc"
        SystemdCgroup = false
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{root}/usr/lib/cni"
    conf_dir = "{folder}/cni"
"""


def _network(folder: Path, number: int) -> dict[str, Any]:
    addresses = {
        "type": "host-local",
        "dataDir": f"{folder}/addresses",
        "ranges": [[{"subnet": f"10.244.{100 + number}.0/24"}]],
        "routes": [{"dst": "0.0.0.0/0"}],
    }
    bridge = {"type": "bridge", "bridge": f"cni{number}", "isGateway": True, "ipMasq": False, "hairpinMode": True}
    return {"cniVersion": "0.4.0", "name": f"bridge{number}", "plugins": [{**bridge, "ipam": addresses}]}


def _kubelet(place: Place, folder: Path, number: int) -> dict[str, Any]:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": f"10.200.0.{number}",
        "port": 10250,
        "readOnlyPort": 0,
        "healthzPort": 10400 + number,
        "healthzBindAddress": "127.0.0.1",
        "authentication": {"anonymous": {"enabled": True}, "webhook": {"enabled": False}},
        "authorization": {"mode": "AlwaysAllow"},
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{CGROUP}/node{number}",
        "cgroupsPerQOS": True,
        "enforceNodeAllocatable": ["pods"],
        "failSwapOn": False,
        "clusterDomain": "cluster.local",
        "resolvConf": str(place.run / "resolv.conf"),
        "staticPodPath": str(folder / "manifests"),
        "volumePluginDir": str(folder / "plugins"),
        "evictionHard": {"memory.available": "100Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
        "nodeStatusUpdateFrequency": "2s",
        "nodeStatusReportFrequency": "10s",
        "syncFrequency": "5s",
        "imageGCHighThresholdPercent": 100,
    }


def etcd() -> list[str]:
    """Return the command of the store."""
    client, peer = "http://127.0.0.1:2379", "http://127.0.0.1:2380"
    listen = ["--listen-client-urls", client, "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer]
    return ["etcd", "--name", "e", "--data-dir", "etcd", "--advertise-client-urls", client, *listen,
            "--initial-cluster", f"e={peer}", "--unsafe-no-fsync"]  # fmt: skip


def api_server() -> list[str]:
    """Return the command of the API server, to be run in the folder of the run."""
    return [
        "kube-apiserver",
        "--etcd-servers=http://127.0.0.1:2379",
        "--bind-address=0.0.0.0",
        "--secure-port=6443",
        "--advertise-address=10.200.0.1",
        "--service-cluster-ip-range=10.96.0.0/16",
        "--tls-cert-file=pki/api.crt",
        "--tls-private-key-file=pki/api.key",
        "--token-auth-file=pki/tokens.csv",
        "--anonymous-auth=false",
        "--service-account-issuer=https://kubernetes.default.svc",
        "--service-account-key-file=pki/sa.pub",
        "--service-account-signing-key-file=pki/sa.key",
        "--authorization-mode=Node,RBAC",
        "--allow-privileged=true",
        "--kubelet-preferred-address-types=InternalIP",
    ]


def controllers() -> dict[str, list[str]]:
    """Return the commands of what else the control plane is made of."""
    common = ["--kubeconfig=components", "--leader-elect=false", "--bind-address=127.0.0.1"]
    keys = ["--service-account-private-key-file=pki/sa.key", "--root-ca-file=pki/ca.crt"]
    fast = ["--use-service-account-credentials=true", "--horizontal-pod-autoscaler-sync-period=5s"]
    untouched = [
        "--conntrack-max-per-core=0",
        "--conntrack-tcp-timeout-established=0",
        "--conntrack-tcp-timeout-close-wait=0",
    ]
    proxy = [
        "--kubeconfig=components",
        "--proxy-mode=iptables",
        "--hostname-override=node1",
        "--cluster-cidr=10.244.0.0/16",
    ]
    return {
        "kube-controller-manager": ["kube-controller-manager", *common, *keys, *fast],
        "kube-scheduler": ["kube-scheduler", *common],
        "kube-proxy": ["kube-proxy", *proxy, *untouched, "--metrics-bind-address=127.0.0.1:10249"],
    }


def kubelet(folder: Path, number: int) -> list[str]:
    """Return the command of one node."""
    return [
        "kubelet",
        "--kubeconfig=components",
        f"--config={folder}/kubelet.json",
        f"--root-dir={folder}/kubelet",
        f"--cert-dir={folder}/kubelet/pki",
        f"--node-ip=10.200.0.{number}",
        f"--hostname-override=node{number}",
        "--container-runtime=remote",
        f"--container-runtime-endpoint=unix://{folder}/containerd.sock",
        f"--node-labels=topology.kubernetes.io/zone=zone{number}",
    ]
