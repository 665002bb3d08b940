"""Enforces network policies, which the bridge network plugin does not: ``policies.py KUBECONFIG``.

By nft in the network namespace it is started in: pods that a policy selects and to which no policy allows anything lose all
connections of that direction; pods whose egress is allowed to some lose those to other pods. Ports are not looked at, nor what
ingress allows. What comes from the nodes (probes of the kubelet) stays allowed, as with real network plugins.
"""

from __future__ import annotations

import ipaddress
import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

from tests.cluster.machine.forward import OUTSIDE_UID

LOOK_SECONDS = 0.3
_FRESH = "add table inet gameday\ndelete table inet gameday\nadd table bridge gameday\ndelete table bridge gameday\n"


def _get(kubeconfig: str, path: str) -> list[Any]:
    words = ["kubectl", "--kubeconfig", kubeconfig, "get", "--raw", path]
    return list(json.loads(subprocess.run(words, capture_output=True, check=True, timeout=10).stdout)["items"])


def selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether a LabelSelector matches; an empty one matches everything."""
    wanted: Mapping[str, str] = selector.get("matchLabels") or {}
    if any(labels.get(key) != value for key, value in wanted.items()):
        return False
    for term in selector.get("matchExpressions") or ():
        has, listed = term["key"] in labels, labels.get(term["key"]) in (term.get("values") or ())
        if not {"In": listed, "NotIn": not listed, "Exists": has, "DoesNotExist": not has}[term["operator"]]:
            return False
    return True


def denied(pods: list[Any], policies: list[Any], direction: str) -> list[str]:
    """Return the addresses of the pods that a policy of this direction selects and that none allows anything."""
    hit: set[str] = set()
    allowed: set[str] = set()
    for policy in policies:
        spec = policy["spec"]
        if direction not in (spec.get("policyTypes") or ["Ingress"]):
            continue
        for pod in pods:
            address = pod["status"].get("podIP")
            same = pod["metadata"]["namespace"] == policy["metadata"]["namespace"]
            if address and same and selects(spec.get("podSelector") or {}, pod["metadata"].get("labels") or {}):
                (allowed if spec.get(direction.lower()) else hit).add(address)
    return sorted(hit - allowed)


def parted(pods: list[Any], policies: list[Any], namespaces: list[Any]) -> list[tuple[str, str]]:
    """Return the pairs of addresses, from and to, of pods whose egress is allowed to some pods and not to these."""
    labels: dict[str, dict[str, str]] = {
        found["metadata"]["name"]: found["metadata"].get("labels") or {} for found in namespaces
    }
    pairs: set[tuple[str, str]] = set()
    for pod in pods:
        about = [policy for policy in policies if _is_about(policy, pod)]
        rules = [(rule, policy) for policy in about for rule in policy["spec"].get("egress") or ()]
        if not rules or not pod["status"].get("podIP"):
            continue
        for other in pods:
            there = other["status"].get("podIP")
            if there and other is not pod and not any(_allows(rule, of, other, labels) for rule, of in rules):
                pairs.add((pod["status"]["podIP"], there))
    return sorted(pairs)


def _is_about(policy: Any, pod: Any) -> bool:
    spec, meta = policy["spec"], pod["metadata"]
    mine = "Egress" in (spec.get("policyTypes") or ()) and policy["metadata"]["namespace"] == meta["namespace"]
    return mine and selects(spec.get("podSelector") or {}, meta.get("labels") or {})


def _allows(rule: Any, policy: Any, pod: Any, labels: Mapping[str, Mapping[str, str]]) -> bool:
    if not rule.get("to"):
        return True
    meta = pod["metadata"]
    for peer in rule["to"]:
        if "ipBlock" in peer:
            address, block = ipaddress.ip_address(pod["status"]["podIP"]), peer["ipBlock"]
            parts = [block["cidr"], *block.get("except", ())]
            inside, *without = [address in ipaddress.ip_network(part) for part in parts]
            fits = inside and not any(without)
        else:
            elsewhere = peer.get("namespaceSelector")
            same = meta["namespace"] == policy["metadata"]["namespace"]
            there = same if elsewhere is None else selects(elsewhere, labels.get(meta["namespace"], {}))
            fits = there and selects(peer.get("podSelector") or {}, meta.get("labels") or {})
        if fits:
            return True
    return False


def ruleset(into: list[str], out: list[str], pairs: Sequence[tuple[str, str]] = ()) -> str:
    """Write the nft rules that take all connections to ``into`` and from ``out``, and those between the pairs."""
    to, of = f"ip daddr {{ {', '.join(into)} }}", f"ip saddr {{ {', '.join(out)} }}"
    routed = [f"{to} ct state new drop"] * bool(into) + [f"{of} ct state new drop"] * bool(out)
    bridged = [f"{to} drop"] * bool(into) + [f"{of} drop"] * bool(out)
    outside = [f"meta skuid {OUTSIDE_UID} {to} drop"] * bool(into)
    local = [f"{of} ct state new drop"] * bool(out)
    between = f"ip saddr . ip daddr {{ {', '.join(f'{source} . {to}' for source, to in pairs)} }}"
    routed += [f"{between} ct state new drop"] * bool(pairs)
    bridged += [f"{between} drop"] * bool(pairs)
    return (
        f"{_FRESH}table inet gameday {{\n{_chain('routed', 'forward', routed)}{_chain('sent', 'output', outside)}"
        f"{_chain('got', 'input', local)}}}\ntable bridge gameday {{\n{_chain('bridged', 'forward', bridged)}}}\n"
    )


def _chain(name: str, hook: str, rules: list[str]) -> str:
    body = "".join(f"  {rule}\n" for rule in rules)
    return f" chain {name} {{\n  type filter hook {hook} priority 0;\n{body} }}\n"


def main(kubeconfig: str) -> None:
    """Follow the policies until killed."""
    last = None
    while True:
        try:
            policies = _get(kubeconfig, "/apis/networking.k8s.io/v1/networkpolicies")
            pods = _get(kubeconfig, "/api/v1/pods") if policies else []
            namespaces = _get(kubeconfig, "/api/v1/namespaces") if policies else []
            none_in, none_out = (denied(pods, policies, direction) for direction in ("Ingress", "Egress"))
            rules = ruleset(none_in, none_out, parted(pods, policies, namespaces))
            if rules != last:
                subprocess.run(["nft", "-f", "-"], input=rules, text=True, check=True, timeout=10)
                last = rules
        except (
            OSError,
            ValueError,
            subprocess.SubprocessError,
        ) as error:  # the API server is not there yet, or stopped
            print(type(error).__name__, error, flush=True)
        time.sleep(LOOK_SECONDS)


if __name__ == "__main__":
    main(sys.argv[1])
