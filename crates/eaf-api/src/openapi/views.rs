//! The schemas of what is answered.

use super::parts::{entries, object, schema};
use eaf_model::{NodeState, WorkloadState};
use serde_json::{Map, Value, json};

fn list(of: &str) -> Value {
    json!({ "type": "array", "items": schema(of) })
}

fn or_null(of: &str) -> Value {
    json!({ "anyOf": [schema(of), { "type": "null" }] })
}

fn words<T: serde::Serialize>(values: &[T]) -> Value {
    json!({ "type": "string", "enum": values })
}

pub(super) fn schemas() -> Map<String, Value> {
    let mut schemas = system();
    schemas.extend(nodes());
    schemas.extend(workloads());
    schemas.extend(attempts());
    schemas.extend(explanations());
    schemas.extend(share_uses());
    schemas.extend(plans());
    schemas
}

fn system() -> Map<String, Value> {
    let text = json!({ "type": "string" });
    entries(json!({
        "Health": object(&["status", "version"], json!({ "status": { "const": "ok" }, "version": text })),
        "Ready": object(&["ready", "step"], json!({
            "ready": { "type": "boolean" },
            "step": schema("Step"),
            "why": { "type": "string", "description": "What is missing, where something is." }
        })),
        "JournalHead": object(&["step", "hash", "head"], json!({
            "step": schema("Step"),
            "hash": { "type": "string", "pattern": "^[0-9a-f]{64}$" },
            "head": { "type": "string", "pattern": "^[0-9]+:[0-9a-f]{64}$" }
        })),
        "Stopping": object(&["stop_work", "pid"], json!({
            "stop_work": { "type": "boolean" },
            "pid": { "type": "integer" }
        })),
        "EventView": object(&["id", "at", "event"], json!({
            "id": schema("EventId"),
            "at": schema("Time"),
            "event": {
                "type": "object",
                "description": "One member, named after the kind of event.",
                "minProperties": 1,
                "maxProperties": 1
            }
        }))
    }))
}

fn nodes() -> Map<String, Value> {
    entries(json!({
        "NodeState": words(&[NodeState::Ready, NodeState::Cordoned, NodeState::Lost]),
        "Accelerator": object(&["model"], json!({
            "model": { "type": "string" },
            "memory": schema("Bytes"),
            "uuid": { "type": "string" }
        })),
        "NodeSpec": object(&["name", "cpu", "memory"], json!({
            "name": { "type": "string" },
            "cpu": schema("CpuMilli"),
            "memory": schema("Bytes"),
            "accelerators": list("Accelerator"),
            "fabric": {
                "type": "array",
                "items": { "type": "string" },
                "description": "The fabric domains that it is in, outermost first; gangs stay in as few as possible."
            },
            "pretended": { "type": "boolean", "description": "True where the accelerators are not there." },
            "labels": { "type": "object", "additionalProperties": { "type": "string" } }
        })),
        "NodeStatus": object(&["cpu_held", "memory_held", "accelerators_held", "tasks"], json!({
            "cpu_held": schema("CpuMilli"),
            "memory_held": schema("Bytes"),
            "accelerators_held": list("GpuMilli"),
            "tasks": { "type": "integer", "minimum": 0 },
            "modes": {
                "type": "object",
                "description": "By index: the modes of those accelerators that have ever had another than whole.",
                "additionalProperties": schema("BoardMode")
            }
        })),
        "BoardMode": object(&["mode", "state", "state_since", "state_reason", "order"], json!({
            "mode": { "type": "string", "description": "The mode that was last known to be in force." },
            "state": { "type": "string", "enum": ["settled", "draining", "changing", "out_of_service"] },
            "state_since": schema("Time"),
            "state_reason": {
                "type": "object",
                "required": ["code"],
                "properties": { "code": { "type": "string", "enum": ["verified", "wanted", "ordered", "failed"] } }
            },
            "state_deadline": schema("Time"),
            "to": { "type": "string", "description": "The mode that it is to have." },
            "order": { "type": "integer", "minimum": 0, "description": "The step that ordered the last change." }
        })),
        "Node": resource("NodeId", "NodeSpec", "NodeStatus", "NodeState", json!({
            "state_since": or_null("Time"),
            "state_reason": { "type": ["string", "null"] }
        })),
        "NodeList": object(&["items"], json!({ "items": list("Node") }))
    }))
}

/// What every lifecycle resource shows.
fn resource(id: &str, spec: &str, status: &str, state: &str, other: Value) -> Value {
    let mut properties = entries(json!({
        "id": schema(id),
        "name": { "type": "string" },
        "spec": schema(spec),
        "status": schema(status),
        "labels": { "type": "object", "additionalProperties": { "type": "string" } },
        "version": { "type": "integer", "minimum": 1, "description": "Counts the changes of the record." },
        "state": schema(state),
        "state_deadline": or_null("Time")
    }));
    properties.extend(entries(other));
    let required: Vec<&str> = properties.keys().map(String::as_str).collect();
    let required = json!(required);
    json!({ "type": "object", "required": required, "properties": properties, "additionalProperties": false })
}

fn workloads() -> Map<String, Value> {
    let count = json!({ "type": "integer", "minimum": 0 });
    entries(json!({
        "WorkloadState": words(&WorkloadState::ALL),
        "Reason": {
            "type": "object",
            "description": "Why a workload is in its state: a code and the numbers of it.",
            "required": ["code"],
            "properties": { "code": { "type": "string" } }
        },
        "Submitted": object(&["id"], json!({ "id": schema("WorkloadId") })),
        "Workload": resource("WorkloadId", "WorkloadSpec", "WorkloadStatus", "WorkloadState", json!({
            "state_since": schema("Time"),
            "state_reason": schema("Reason")
        })),
        "WorkloadStatus": object(&["by", "submitted_at", "retries_spent", "losses", "attempts"], json!({
            "by": { "type": "string" },
            "submitted_at": schema("Time"),
            "array_index": { "type": "integer", "minimum": 0, "maximum": 65535 },
            "array": schema("ArraySummary"),
            "not_before": schema("Time"),
            "retries_spent": count,
            "losses": count,
            "lease": schema("Lease"),
            "attempts": list("Attempt")
        })),
        "ArraySummary": object(&["members", "by_state"], json!({
            "members": count,
            "by_state": { "type": "object", "propertyNames": schema("WorkloadState"), "additionalProperties": count }
        })),
        "WorkloadPage": object(&["items"], json!({
            "items": list("Workload"),
            "next": { "type": "string", "description": "The `cursor` of the next page; absent on the last." }
        })),
        "Listing": object(&["path", "entries", "cut"], json!({
            "path": { "type": "string" },
            "entries": {
                "type": "array",
                "items": object(&["name", "kind"], json!({
                    "name": { "type": "string" },
                    "kind": { "type": "string", "enum": ["file", "directory", "other"] },
                    "size": schema("Bytes")
                }))
            },
            "cut": { "type": "boolean", "description": "True where there are more entries than are listed." }
        })),
        "Receipt": {
            "type": "object",
            "description": "The signed receipt, byte for byte as it was signed; `eaf receipt verify` checks it."
        }
    }))
}

fn attempts() -> Map<String, Value> {
    let count = json!({ "type": "integer", "minimum": 0 });
    entries(json!({
        "Allotment": object(&["node", "cpu", "memory"], json!({
            "node": schema("NodeId"),
            "cpu": schema("CpuMilli"),
            "memory": schema("Bytes"),
            "accelerators": {
                "type": "array",
                "items": object(&["index", "share"], json!({
                    "index": count,
                    "share": schema("GpuMilli"),
                    "slice": object(&["mode", "profile", "start", "slots"], json!({
                        "mode": { "type": "string" },
                        "profile": { "type": "string" },
                        "start": count,
                        "slots": count
                    }))
                }))
            }
        })),
        "Lease": object(&["id", "attempt", "granted_at", "tasks"], json!({
            "id": schema("LeaseId"),
            "attempt": { "type": "integer", "minimum": 1 },
            "granted_at": schema("Time"),
            "checkpointed_at": schema("Time"),
            "tasks": list("Task")
        })),
        "Task": object(&["allotment", "state", "usage"], json!({
            "allotment": schema("Allotment"),
            "state": { "type": "string", "enum": ["ordered", "accepted", "started", "exited", "abandoned"] },
            "started_at": schema("Time"),
            "exit": schema("Exit"),
            "usage": schema("Usage"),
            "checkpoint": schema("Checkpoint")
        })),
        "Checkpoint": object(&["at"], json!({
            "at": schema("Time"),
            "label": { "type": "string" },
            "whole_gang": { "type": "boolean", "default": false }
        })),
        "Attempt": object(&["attempt", "lease", "nodes", "exits", "bill"], json!({
            "attempt": { "type": "integer", "minimum": 1 },
            "lease": schema("LeaseId"),
            "nodes": list("NodeId"),
            "exits": list("Exit"),
            "checkpointed_at": schema("Time"),
            "bill": schema("Bill")
        })),
        "Bill": {
            "type": "object",
            "description": "What the attempt held, used and costs; the receipt says how each figure is made.",
            "required": ["granted_at", "ended_at", "usage", "price_book", "price"],
            "properties": {
                "granted_at": schema("Time"),
                "started_at": schema("Time"),
                "ended_at": schema("Time"),
                "usage": schema("Usage"),
                "price_book": { "type": "string" },
                "charges": { "type": "array", "items": { "type": "object" } },
                "equivalent": { "type": "object", "description": "Accelerators of unlike models, in H100s." },
                "price": { "type": "integer", "description": "Millionths of a won." }
            }
        }
    }))
}

/// What would make a workload start now.
const CHANGES: [&str; 8] = [
    "fewer_tasks",
    "fewer_accelerators",
    "smaller_share",
    "less_cpu",
    "less_memory",
    "other_models",
    "any_tasks_per_node",
    "shorter_wall_time",
];

fn explanations() -> Map<String, Value> {
    let count = json!({ "type": "integer", "minimum": 0 });
    let tests = ["cordoned", "lost", "accelerator_model", "cpu", "memory", "mode", "accelerators", "reserved"];
    let required = ["workload", "state", "blockers", "nodes_total", "nodes_fitting", "failing", "ahead"];
    entries(json!({
        "Explanation": object(&required, json!({
            "workload": schema("WorkloadId"),
            "state": schema("WorkloadState"),
            "blockers": {
                "type": "array",
                "description": "What blocks it, the nearest first.",
                "items": {
                    "type": "object",
                    "required": ["code"],
                    "properties": { "code": {
                        "type": "string",
                        "enum": [
                            "dependencies", "backoff", "capacity", "scattered", "mode_change", "planned", "hold", "share",
                            "share_too_small", "reserved", "preemption", "next_pass", "nodes_not_ready", "fleet_too_small"
                        ]
                    } }
                }
            },
            "nodes_total": count,
            "nodes_fitting": count,
            "failing": {
                "type": "array",
                "description": "How many nodes fail which test for one task. A node may fail several; one that takes no work, or has no accelerator of a model that would do, is not tested for what follows from that.",
                "items": object(&["test", "nodes"], json!({
                    "test": { "type": "string", "enum": tests },
                    "nodes": count
                }))
            },
            "ahead": count,
            "by_share": {
                "type": "boolean",
                "description": "True where projects have shares: ahead counts those of its own project, and of others those that have waited too long."
            },
            "would_start": {
                "type": "array",
                "description": "What would make it start now, each alone.",
                "items": {
                    "type": "object",
                    "required": ["code"],
                    "properties": { "code": { "type": "string", "enum": CHANGES } }
                }
            },
            "state_deadline": {
                "anyOf": [schema("Time"), { "type": "null" }],
                "description": "When it gives up if it has not started by then."
            },
            "estimate": schema("StartEstimate")
        })),
        "StartEstimate": object(&["runs", "learned_from"], json!({
            "p50": schema("Time"),
            "p90": schema("Time"),
            "not_before": schema("Time"),
            "stops": {
                "type": "integer", "minimum": 0,
                "description": "Running work that is stopped by p50 to make room for it, and is not told so yet; absent where nothing is."
            },
            "runs": count,
            "learned_from": count
        }))
    }))
}

fn share_uses() -> Map<String, Value> {
    let count = json!({ "type": "integer", "minimum": 0 });
    entries(json!({
        "ShareUseList": object(&["items"], json!({ "items": list("ShareUse") })),
        "ShareUse": object(&["models", "average", "waiting"], json!({
            "share": { "type": "string", "description": "Absent for all projects without a share together." },
            "parent": { "type": "string", "description": "The share that it is a part of." },
            "models": {
                "type": "object",
                "description": "By model of accelerator, with all of its parts.",
                "additionalProperties": object(&["held", "guaranteed", "kept"], json!({
                    "held": schema("GpuMilli"),
                    "guaranteed": schema("GpuMilli"),
                    "kept": schema("GpuMilli"),
                    "maximum": schema("GpuMilli")
                }))
            },
            "average": schema("GpuMilli"),
            "waiting": count
        }))
    }))
}

fn plans() -> Map<String, Value> {
    let count = json!({ "type": "integer", "minimum": 0 });
    entries(json!({
        "Planned": object(&["workloads", "starting"], json!({
            "workloads": count,
            "starting": count,
            "tasks": {
                "type": "array",
                "items": object(&["name", "allotment"], json!({
                    "name": { "type": "string" },
                    "allotment": schema("Allotment")
                }))
            },
            "explanation": schema("Explanation"),
            "last": schema("StartEstimate")
        }))
    }))
}
