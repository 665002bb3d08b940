"""The parts of the JSON Schemas that no model says: variables, the matrix, fragments, other people's files, and the kinds of SLIs."""

from __future__ import annotations

from typing import Any

REFERENCE = {"type": "string", "pattern": r"\$\{[^{}$]+\}", "description": "a variable: ${name}"}
VARIABLES = {
    "type": "object",
    "description": "Values for ${name}: a plain value, or where it comes from. --var and --var-file win over both.",
    "propertyNames": {"pattern": r"^[A-Za-z_][A-Za-z0-9_]{0,62}$"},
    "additionalProperties": {
        "anyOf": [
            {"type": ["string", "number", "boolean"]},
            {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    "env": {"type": "string", "description": "the environment variable that holds it"},
                    "default": {"type": ["string", "number", "boolean"], "description": "used when nothing else says"},
                    "secret": {"type": "boolean", "description": "never written anywhere; has no default"},
                },
            },
        ]
    },
}
MATRIX = {
    "type": "object",
    "description": "The same hypothesis once for each combination of values; each name is a variable.",
    "minProperties": 1,
    "propertyNames": {"pattern": r"^[A-Za-z_][A-Za-z0-9_]{0,62}$"},
    "additionalProperties": {"type": "array", "minItems": 1, "items": {"type": ["string", "number", "boolean"]}},
}
USED = {
    "description": "Files whose SLIs, objectives and variables stand beside those of this one.",
    "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}],
    "examples": [["library/slis/availability.yaml"]],
}
USE = {
    "type": "object",
    "description": "The faults of another file, in this place.",
    "additionalProperties": False,
    "required": ["use"],
    "properties": {
        "use": {"type": "string", "description": "a file in this one's folder, with version: 1 and faults: […]"},
        "at": {"type": "string", "description": "how much later all of its faults are"},
    },
}
USES = {
    "description": "A Chaos Toolkit experiment, run unchanged under the load and the objectives of this file.",
    "anyOf": [
        {"type": "string", "description": "its file, relative to this one's folder"},
        {
            "type": "object",
            "additionalProperties": False,
            "required": ["file"],
            "properties": {
                "file": {"type": "string", "description": "its file, relative to this one's folder"},
                "for": {"type": "string", "description": "how long it may take; default: 1h"},
            },
        },
    ],
}
_COUNTER = {"type": "string", "description": "a counter, or a sum of counters, without rate()"}
SLI_KINDS: dict[str, dict[str, Any]] = {
    "http": {
        "type": "string",
        "description": "a URL whose answer is read",
        "examples": ["http://127.0.0.1:8080/queue"],
    },
    "command": {
        "type": "array",
        "items": {"type": "string"},
        "minItems": 1,
        "description": "an argv whose output is read",
    },
    "sql": {
        "type": "string",
        "description": "a query whose one row is read; needs url",
        "examples": ["select count(*) from jobs where done_at is null"],
    },
    "redis": {
        "type": "string",
        "description": "a Redis server, beside one of llen, scard, zcard, xlen, hlen, get and info",
        "examples": ["redis://127.0.0.1:6379/0"],
    },
    "rabbitmq": {
        "type": "string",
        "description": "a management API, beside queue",
        "examples": ["http://127.0.0.1:15672"],
    },
    "process": {
        "type": ["string", "object"],
        "description": "a name under system:, {pidfile: FILE} or {match: REGEX}, beside one of cpu, memory, fds and threads",
    },
    "elasticsearch": {
        "type": "string",
        "description": "a server of Elasticsearch or OpenSearch, beside index and query",
        "examples": ["http://127.0.0.1:9200"],
    },
    "k8s": {
        "enum": ["ready", "restarts", "cpu", "memory", "warnings", "hpa-current", "hpa-desired"],
        "description": "a number in a cluster, beside kubeconfig, context and namespace",
    },
    "loki": {
        "type": "string",
        "description": "a server of Grafana Loki, beside a metric query",
        "examples": ["http://127.0.0.1:3100"],
    },
    "chaostoolkit": {"type": "object", "description": "a probe of a Chaos Toolkit extension"},
    "prometheus": {
        "description": "a PromQL expression whose value is read, or two counters that are fetched after the phases",
        "anyOf": [
            {"type": "string", "examples": ["sum(payment_queue_depth)"]},
            *(
                {
                    "type": "object",
                    "additionalProperties": False,
                    "required": [first, second],
                    "properties": {first: _COUNTER, second: _COUNTER},
                }
                for first, second in (("bad", "total"), ("good", "total"), ("sum", "per"))
            ),
        ],
    },
    "prometheus_alerts": {
        "type": "string",
        "description": "an alerting rule, whose firing instances are counted",
        "examples": ["CheckoutBurnRate"],
    },
    "alertmanager": {
        "type": "string",
        "description": "an alert, whose instances in an Alertmanager are counted",
        "examples": ["CheckoutBurnRate"],
    },
    "absent": {"const": "zero", "description": "of prometheus: what has no series yet is zero, and not missing"},
}
