//! The schemas of what is sent.

use super::parts::{PRINTABLE, entries, object, schema};
use serde_json::{Map, Value, json};

const NO_NUL: &str = "^[^\\u0000]*$";
/// With something in it that is no white space, and without NUL.
const NOT_BLANK: &str = "^[^\\u0000]*[^\\u0000\\u0009-\\u000d\\u0020\\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]\
    [^\\u0000]*$";

pub(super) fn schemas() -> Map<String, Value> {
    entries(json!({
        "SubmitRequest": object(&["spec"], json!({
            "spec": schema("WorkloadSpec"),
            "array": {
                "type": "array",
                "description": "The index values of an array; empty for one workload.",
                "items": { "type": "integer", "minimum": 0, "maximum": 65535 },
                "uniqueItems": true,
                "maxItems": 10000
            }
        })),
        "WorkloadSpec": spec(),
        "TaskRequest": object(&[], json!({
            "cpu": {
                "type": "integer", "minimum": 1, "maximum": 1_000_000_000, "default": 1000,
                "description": "Thousandths of a CPU thread."
            },
            "memory": {
                "type": "integer", "minimum": 1u64 << 20, "maximum": 1u64 << 60, "default": 256u64 << 20,
                "description": "Bytes."
            },
            "accelerators": schema("AcceleratorRequest")
        })),
        "AcceleratorRequest": {
            "description": "None, one of which a share may be asked for, several whole ones, or slices.",
            "anyOf": [
                accelerators(&[], json!({ "const": 0 }), json!({ "const": 1000 }), 0),
                accelerators(&["count"], json!({ "const": 1 }), share(), 1000),
                accelerators(
                    &["count"],
                    json!({ "type": "integer", "minimum": 2, "maximum": 4096 }),
                    json!({ "const": 1000 }),
                    1000,
                ),
                slices()
            ]
        },
        "Run": run(),
        "CordonRequest": object(&["why"], json!({
            "why": {
                "type": "string",
                "description": "Why, for the next one on call.",
                "pattern": "^[^\\u0000-\\u0020\\u007f-\\u009f][^\\u0000-\\u001f\\u007f-\\u009f]*$",
                "maxLength": 200
            }
        })),
        "ModeRequest": mode(),
        "Policy": policy(),
        "StopRequest": object(&["process"], json!({
            "process": {
                "type": "string",
                "description": "The header `Eaf-Process` of `GET /v1/ready`: a stop that was meant for an earlier start \
                    ends nothing."
            },
            "stop_work": {
                "type": "boolean", "default": false,
                "description": "False leaves tasks running for the next start to find."
            }
        }))
    }))
}

fn mode() -> Value {
    object(
        &["accelerators", "mode"],
        json!({
            "accelerators": {
                "type": "array",
                "description": "Which accelerators, by rising index.",
                "items": { "type": "integer", "minimum": 0, "maximum": 65535 },
                "minItems": 1,
                "maxItems": 4096
            },
            "mode": {
                "type": "string",
                "description": "`whole`, or a mode of the partition book such as `MIG` or `CPX/NPS4`.",
                "pattern": PRINTABLE,
                "maxLength": 64
            }
        }),
    )
}

fn policy() -> Value {
    let name = json!({ "type": "string", "pattern": "^[a-z0-9][a-z0-9-]{0,62}$" });
    let parent = json!({ "type": ["string", "null"], "pattern": "^[a-z0-9][a-z0-9-]{0,62}$" });
    let counted =
        |kind: Value, what: &str| json!({ "type": kind, "minimum": 0, "maximum": u32::MAX, "description": what });
    let count = |what: &str| counted(json!("integer"), what);
    let count_or_none = |what: &str| counted(json!(["integer", "null"]), what);
    let named = |what: &str, each: Value| {
        json!({
            "type": "object", "description": what, "propertyNames": name, "additionalProperties": each,
            "maxProperties": 1000
        })
    };
    let quota = object(
        &[],
        json!({
            "guaranteed": count("So many are its own; what others borrow of them comes back when it asks."),
            "borrowable": count_or_none("So many of those may others borrow while they are idle; all, where it is absent."),
            "maximum": count_or_none("It never holds more than so many.")
        }),
    );
    let share = object(
        &[],
        json!({
            "parent": parent,
            "weight": { "type": "integer", "minimum": 1, "maximum": 1_000_000, "default": 1 },
            "priority": {
                "type": "integer", "minimum": -1_000, "maximum": 1_000, "default": 0,
                "description": "Beside siblings with less of it, it goes first in what nobody is guaranteed, and takes what they borrowed."
            },
            "spot": {
                "type": "boolean", "default": false,
                "description": "Its work, and that of its parts, gives way to more urgent work of the same project, whether the work says so or not."
            },
            "accelerators": {
                "type": "object", "description": "By model.", "additionalProperties": quota, "maxProperties": 64
            }
        }),
    );
    let nodes = json!({
        "type": "array", "description": "Nodes, by name.", "items": { "type": "string" }, "minItems": 1,
        "maxItems": 10_000
    });
    let (from, until) = (schema("Time"), schema("Time"));
    object(
        &[],
        json!({
            "half_life": {
                "type": "integer", "format": "int64", "minimum": 1, "maximum": 3_162_240_000_000_u64,
                "description": "Milliseconds after which use counts half as much."
            },
            "shares": named("Shares, by name: that of a project, or of a tenant that has projects.", share),
            "reservations": named(
                "Windows in which nodes are kept for a project.",
                object(&["project", "nodes", "from", "until"],
                    json!({ "project": name, "nodes": nodes, "from": from, "until": until }))
            ),
            "maintenance": named(
                "Windows in which nodes take no work.",
                object(&["nodes", "from", "until"], json!({ "nodes": nodes, "from": from, "until": until }))
            )
        }),
    )
}

fn run() -> Value {
    json!({
        "description": "What a task executes.",
        "oneOf": [
            object(&["command"], json!({
                "command": {
                    "type": "array",
                    "description": "A program and its arguments, not seen by a shell.",
                    "prefixItems": [{ "type": "string", "pattern": "^[^\\u0000]+$" }],
                    "items": { "type": "string", "pattern": NO_NUL },
                    "minItems": 1
                }
            })),
            object(&["script"], json!({
                "script": {
                    "type": "string",
                    "description": "A text that is executed; it starts with `#!` or is given to /bin/sh.",
                    "pattern": NOT_BLANK
                }
            }))
        ]
    })
}

fn share() -> Value {
    json!({ "type": "integer", "minimum": 1, "maximum": 1000, "default": 1000, "description": "Thousandths of one." })
}

#[expect(clippy::needless_pass_by_value, reason = "schemas are written where they are passed")]
fn accelerators(required: &[&str], count: Value, share: Value, models_max: u32) -> Value {
    object(
        required,
        json!({
            "count": count,
            "share": share,
            "models": {
                "type": "array",
                "description": "The models that will do; empty for any.",
                "items": { "type": "string", "pattern": PRINTABLE, "maxLength": 128 },
                "uniqueItems": true,
                "maxItems": models_max
            }
        }),
    )
}

fn slices() -> Value {
    let count = json!({ "type": "integer", "minimum": 1, "maximum": 4096 });
    let mut slices = accelerators(&["count", "slice"], count, json!({ "const": 1000 }), 1000);
    slices["properties"]["slice"] = json!({
        "type": "string",
        "description": "The profile of each slice, such as `1g.10gb` or `CPX`.",
        "pattern": PRINTABLE,
        "maxLength": 64
    });
    slices
}

fn spec() -> Value {
    let ids = |description: &str| {
        json!({
            "type": "array", "items": schema("WorkloadId"), "uniqueItems": true, "maxItems": 1000,
            "description": description
        })
    };
    let span = |min: u64, max: u64, description: &str| json!({ "type": ["integer", "null"], "minimum": min, "maximum": max, "description": description });
    object(
        &["run"],
        json!({
            "name": { "type": "string", "pattern": PRINTABLE, "maxLength": 128, "default": "unnamed" },
            "project": { "type": "string", "pattern": "^[a-z0-9][a-z0-9-]{0,62}$", "default": "default" },
            "tasks": {
                "type": "integer", "minimum": 1, "maximum": 4096, "default": 1,
                "description": "More than one is a gang that starts whole or not at all, unless it may start with fewer."
            },
            "tasks_min": {
                "type": ["integer", "null"], "minimum": 1, "maximum": 4096,
                "description": "The fewest tasks with which it may start and go on; absent, or not below `tasks`, where it needs all."
            },
            "tasks_per_node_max": { "type": ["integer", "null"], "minimum": 1, "maximum": 4096 },
            "task": schema("TaskRequest"),
            "wall_time": span(1, 31_622_400_000, "Milliseconds that it may run."),
            "priority": {
                "type": "integer", "minimum": -1000, "maximum": 1000, "default": 0, "description": "Higher goes first."
            },
            "preemptible": {
                "type": "boolean", "default": false,
                "description": "It may be stopped to make room for a workload that goes before it, and then waits again."
            },
            "keeps_progress": {
                "type": "boolean", "default": false,
                "description": "It goes on from where it was when it is stopped and started again."
            },
            "retries": { "type": "integer", "minimum": 0, "maximum": 100, "default": 0 },
            "on_loss": { "type": "string", "enum": ["requeue", "fail"], "default": "requeue" },
            "after_ok": ids("Wait until all of these have finished with success."),
            "after_any": ids("Wait until all of these have ended."),
            "expires_after": span(1, 1 << 50, "Give up when not started so many milliseconds after submission."),
            "deadline": {
                "type": ["integer", "null"], "format": "int64", "minimum": 0, "maximum": 253_402_300_799_000_i64,
                "description": "Give up as soon as it could not end by then any more, were it to run for its whole wall time."
            },
            "stop_grace": span(0, 3_600_000, "Milliseconds between the polite and the hard stop."),
            "environment": {
                "type": "object",
                "propertyNames": { "pattern": "^(?!EAF_)[A-Za-z_][A-Za-z0-9_]*$" },
                "additionalProperties": { "type": "string", "pattern": NO_NUL }
            },
            "working_directory": {
                "type": ["string", "null"],
                "pattern": "^(?!(?:[^\\u0000]*/)?\\.\\.(?:/|$))[^\\u0000]+$",
                "maxLength": 4096,
                "description": "Absent for a fresh directory of its own, relative for one within that."
            },
            "labels": schema("Labels"),
            "run": schema("Run")
        }),
    )
}
