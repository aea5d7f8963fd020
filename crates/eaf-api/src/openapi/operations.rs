//! The operations, path by path.

use super::parts::{problems, schema};
use crate::{LOG_BYTES_MAX, PAGE_DEFAULT, PAGE_MAX};
use serde_json::{Map, Value, json};

/// An operation being written down.
struct Operation(Map<String, Value>);

impl Operation {
    fn new(id: &str, tag: &str, summary: &str) -> Self {
        let mut map = Map::new();
        map.insert("operationId".to_owned(), json!(id));
        map.insert("tags".to_owned(), json!([tag]));
        map.insert("summary".to_owned(), json!(summary));
        map.insert("responses".to_owned(), Value::Object(problems(&[])));
        Self(map)
    }

    fn with(mut self, name: &str, value: Value) -> Self {
        self.0.insert(name.to_owned(), value);
        self
    }

    fn parameters(self, parameters: &[Value]) -> Self {
        self.with("parameters", json!(parameters))
    }

    fn body(self, name: &str) -> Self {
        let body = json!({ "required": true, "content": { "application/json": { "schema": schema(name) } } });
        self.with("requestBody", body).problems(&["400", "413", "415"])
    }

    fn problems(mut self, statuses: &[&str]) -> Self {
        self.responses().extend(problems(statuses));
        self
    }

    fn answers(mut self, status: &str, response: Value) -> Self {
        self.responses().insert(status.to_owned(), response);
        self
    }

    fn answers_json(self, status: &str, name: &str, description: &str) -> Self {
        self.answers(status, json_answer(name, description))
    }

    fn responses(&mut self) -> &mut Map<String, Value> {
        let responses = self.0.entry("responses").or_insert_with(|| json!({}));
        responses.as_object_mut().expect("responses are an object")
    }

    fn done(self) -> Value {
        Value::Object(self.0)
    }
}

fn json_answer(name: &str, description: &str) -> Value {
    json!({ "description": description, "content": { "application/json": { "schema": schema(name) } } })
}

fn in_path(name: &str) -> Value {
    json!({ "name": "id", "in": "path", "required": true, "schema": schema(name) })
}

#[expect(clippy::needless_pass_by_value, reason = "schemas are written where they are passed")]
fn in_query(name: &str, description: &str, schema: Value) -> Value {
    json!({ "name": name, "in": "query", "description": description, "schema": schema })
}

/// Every path of the document.
pub(super) fn paths() -> Value {
    let mut paths = Map::new();
    for group in [factory(), nodes(), policy(), workloads(), of_one_workload()] {
        for (path, item) in group {
            paths.insert(path.to_owned(), item);
        }
    }
    Value::Object(paths)
}

fn factory() -> Vec<(&'static str, Value)> {
    let get = |id: &str, summary: &str| Operation::new(id, "factory", summary);
    let health = json!({
        "operationId": "health",
        "tags": ["factory"],
        "summary": "The process answers. Needs no token.",
        "security": [],
        "responses": {
            "200": json_answer("Health", "It does."),
            "405": { "$ref": "#/components/responses/MethodNotAllowed" },
            "429": { "$ref": "#/components/responses/TooMany" }
        }
    });
    let not_ready = json!({
        "description": "Not ready; or, as a problem, too busy to say.",
        "headers": {
            "Retry-After": { "schema": { "type": "integer" } },
            "Eaf-Process": { "$ref": "#/components/headers/Eaf-Process" }
        },
        "content": {
            "application/json": { "schema": schema("Ready") },
            "application/problem+json": { "schema": schema("Problem") }
        }
    });
    let mut is_ready = json_answer("Ready", "Ready.");
    is_ready["headers"] = json!({ "Eaf-Process": { "$ref": "#/components/headers/Eaf-Process" } });
    let ready =
        get("ready", "Whether work is taken and can be started.").answers("200", is_ready).answers("503", not_ready);
    let metrics = get("metrics", "Metrics for Prometheus (OpenMetrics text).").answers(
        "200",
        json!({ "description": "Metrics.", "content": { "application/openmetrics-text": { "schema": { "type": "string" } } } }),
    );
    let openapi = get("openapi", "This document.").answers(
        "200",
        json!({ "description": "OpenAPI 3.1.", "content": { "application/json": { "schema": { "type": "object" } } } }),
    );
    let head = get("journalHead", "The last durable place of the journal.").answers_json(
        "200",
        "JournalHead",
        "STEP:HASH, behind which nothing may be cut off.",
    );
    let stop = get("stop", "End the factory's process.")
        .body("StopRequest")
        .answers_json("202", "Stopping", "It is under way.")
        .problems(&["409"]);
    vec![
        ("/v1/health", json!({ "get": health })),
        ("/v1/ready", json!({ "get": ready.done() })),
        ("/v1/metrics", json!({ "get": metrics.done() })),
        ("/v1/openapi.json", json!({ "get": openapi.done() })),
        ("/v1/journal/head", json!({ "get": head.done() })),
        ("/v1/stop", json!({ "post": stop.done() })),
        ("/v1/events", json!({ "get": events() })),
    ]
}

fn events() -> Value {
    let answer = json!({
        "description": "Server-sent events: `id` is the event's place, `event` its kind, `data` an EventView.",
        "content": { "text/event-stream": { "schema": { "type": "string" } } }
    });
    Operation::new("events", "factory", "Every event behind a place, then every new one. A stream.")
        .parameters(&[
            in_query("after", "The place; absent for from now on.", schema("EventId")),
            json!({ "name": "Last-Event-ID", "in": "header", "schema": schema("EventId") }),
        ])
        .answers("200", answer)
        .problems(&["400", "410"])
        .done()
}

fn nodes() -> Vec<(&'static str, Value)> {
    let links = json!({ "node": { "operationId": "node", "parameters": { "id": "$response.body#/items/0/id" } } });
    let mut listed = json_answer("NodeList", "Every node, by id.");
    listed["links"] = links;
    let list = Operation::new("nodes", "nodes", "Every node.").answers("200", listed);
    let one = Operation::new("node", "nodes", "One node.")
        .parameters(&[in_path("NodeId")])
        .answers_json("200", "Node", "The node.")
        .problems(&["404"]);
    let cordon = Operation::new("cordon", "nodes", "Place nothing more on this node.")
        .parameters(&[in_path("NodeId")])
        .body("CordonRequest")
        .answers_json("200", "Node", "The node as it is now.")
        .problems(&["404", "409", "422"]);
    let uncordon = Operation::new("uncordon", "nodes", "Place work on this node again.")
        .parameters(&[in_path("NodeId")])
        .answers_json("200", "Node", "The node as it is now.")
        .problems(&["404", "409"]);
    let mode = Operation::new("setMode", "nodes", "Bring empty accelerators of this node into a mode.")
        .parameters(&[in_path("NodeId")])
        .body("ModeRequest")
        .answers_json("200", "Node", "The node as it is now; the change goes on.")
        .problems(&["404", "409", "422"]);
    vec![
        ("/v1/nodes", json!({ "get": list.done() })),
        ("/v1/nodes/{id}", json!({ "get": one.done() })),
        ("/v1/nodes/{id}/cordon", json!({ "post": cordon.done() })),
        ("/v1/nodes/{id}/uncordon", json!({ "post": uncordon.done() })),
        ("/v1/nodes/{id}/mode", json!({ "post": mode.done() })),
    ]
}

fn policy() -> Vec<(&'static str, Value)> {
    let show =
        Operation::new("policy", "policy", "The policy in force.").answers_json("200", "Policy", "Shares and windows.");
    let apply = Operation::new("applyPolicy", "policy", "Share and reserve by this policy from now on.")
        .body("Policy")
        .answers_json("200", "Policy", "The policy as it is in force: without windows that are over.")
        .problems(&["409", "422"]);
    let check = Operation::new("checkPolicy", "policy", "Could this policy be applied? Nothing is changed.")
        .body("Policy")
        .answers_json("200", "Policy", "The policy as it would be in force.")
        .problems(&["409", "422"]);
    let usage = Operation::new("shareUses", "policy", "Who holds what of which share.").answers_json(
        "200",
        "ShareUseList",
        "Each share, a whole before its parts; none where the policy has no shares.",
    );
    vec![
        ("/v1/policy", json!({ "get": show.done(), "put": apply.done() })),
        ("/v1/policy/check", json!({ "post": check.done() })),
        ("/v1/policy/usage", json!({ "get": usage.done() })),
    ]
}

/// Where a submitted workload can be asked about.
fn submitted(description: &str) -> Value {
    let operations = ["workload", "cancel", "explanation", "logs", "files", "receipt"];
    let link = |id: &str| json!({ "operationId": id, "parameters": { "id": "$response.body#/id" } });
    let links: Map<String, Value> = operations.iter().map(|id| ((*id).to_owned(), link(id))).collect();
    let mut answer = json_answer("Submitted", description);
    answer["headers"] = json!({ "Location": { "required": true, "schema": { "type": "string" } } });
    answer["links"] = Value::Object(links);
    answer
}

fn workloads() -> Vec<(&'static str, Value)> {
    let states = json!({ "type": "array", "items": schema("WorkloadState"), "minItems": 1 });
    let mut state = in_query("state", "Only these states, separated by commas.", states);
    state["style"] = json!("form");
    state["explode"] = json!(false);
    let text = json!({ "type": "string" });
    let list = Operation::new("workloads", "workloads", "Workloads, newest first.")
        .parameters(&[
            state,
            in_query("project", "Only this project.", text.clone()),
            in_query("name", "Only this name.", text),
            in_query("list", "Only the members of this array.", schema("WorkloadId")),
            in_query("all", "Ended ones too.", json!({ "type": "boolean", "default": false })),
            in_query(
                "limit",
                "The most on a page.",
                json!({ "type": "integer", "minimum": 1, "maximum": PAGE_MAX, "default": PAGE_DEFAULT }),
            ),
            in_query(
                "cursor",
                "`next` of the page before.",
                json!({ "type": "string", "pattern": "^c[0-9a-f]{1,16}$" }),
            ),
        ])
        .answers_json("200", "WorkloadPage", "One page.")
        .problems(&["400"]);
    let key = json!({
        "name": "Idempotency-Key",
        "in": "header",
        "description": "The same key and request again give the same id and make nothing new.",
        "schema": { "type": "string", "pattern": "^[!-~]{1,255}$" }
    });
    let submit = Operation::new("submit", "workloads", "Submit a workload, or an array of them.")
        .parameters(&[key])
        .body("SubmitRequest")
        .answers("201", submitted("It is durable."))
        .answers("200", submitted("It was submitted before with this key."))
        .problems(&["409", "422"]);
    let what_if = Operation::new("whatIf", "workloads", "What would come of a submission; nothing is submitted.")
        .body("SubmitRequest")
        .answers_json("200", "Planned", "What would start and where; what would wait, why and until when.")
        .problems(&["409", "422"]);
    vec![
        ("/v1/workloads", json!({ "get": list.done(), "post": submit.done() })),
        ("/v1/workloads/what-if", json!({ "post": what_if.done() })),
    ]
}

fn of_one_workload() -> Vec<(&'static str, Value)> {
    let of = |id: &str, summary: &str| Operation::new(id, "workloads", summary).problems(&["404"]);
    let path = in_path("WorkloadId");
    let bytes = |description: &str| {
        json!({
            "description": description,
            "content": { "application/octet-stream": { "schema": { "type": "string", "format": "binary" } } }
        })
    };
    let one = of("workload", "A workload, live or ended, or an array as a whole.")
        .parameters(std::slice::from_ref(&path))
        .answers_json("200", "Workload", "The workload.");
    let cancel = of("cancel", "End it, or every live member of an array. One that has ended stays as it ended.")
        .parameters(std::slice::from_ref(&path))
        .answers_json("200", "Workload", "The workload as it is now.")
        .problems(&["409"]);
    let explanation = of("explanation", "Why it is where it is, and when it will start.")
        .parameters(std::slice::from_ref(&path))
        .answers_json("200", "Explanation", "The explanation; without blockers where it does not wait.")
        .problems(&["409"]);
    let receipt = of("receipt", "The signed receipt of an ended workload.")
        .parameters(std::slice::from_ref(&path))
        .answers_json("200", "Receipt", "The receipt.")
        .problems(&["409"]);
    let file_path = in_query(
        "path",
        "Relative to the workload's directory; empty for that directory itself.",
        json!({ "type": "string", "default": "" }),
    );
    let mut found = bytes("A file, or the listing of a directory.");
    found["content"]["application/json"] = json!({ "schema": schema("Listing") });
    let files = of("files", "A file out of its directory, or the listing of a directory there.")
        .parameters(&[path, file_path])
        .answers("200", found)
        .problems(&["400", "409"]);
    vec![
        ("/v1/workloads/{id}", json!({ "get": one.done() })),
        ("/v1/workloads/{id}/cancel", json!({ "post": cancel.done() })),
        ("/v1/workloads/{id}/explanation", json!({ "get": explanation.done() })),
        ("/v1/workloads/{id}/logs", json!({ "get": logs() })),
        ("/v1/workloads/{id}/files", json!({ "get": files.done() })),
        ("/v1/workloads/{id}/receipt", json!({ "get": receipt.done() })),
    ]
}

fn logs() -> Value {
    let header = |name: &str| json!({ "$ref": format!("#/components/headers/{name}") });
    let mut piece = json!({
        "description": "Bytes as they were written. Without `follow`, headers say where they are.",
        "content": { "application/octet-stream": { "schema": { "type": "string", "format": "binary" } } }
    });
    piece["headers"] = json!({
        "Eaf-Log-Offset": header("Eaf-Log-Offset"),
        "Eaf-Log-Next": header("Eaf-Log-Next"),
        "Eaf-Log-End": header("Eaf-Log-End")
    });
    let bounded = |min: u64, max: u64| json!({ "type": "integer", "minimum": min, "maximum": max });
    Operation::new("logs", "workloads", "The output of a task; with `follow` a stream until the task is over.")
        .parameters(&[
            in_path("WorkloadId"),
            in_query("attempt", "The attempt; absent for the latest.", bounded(1, u64::from(u32::MAX))),
            in_query("task", "The rank of the task.", bounded(0, u64::from(u32::MAX))),
            in_query("stream", "Which output.", json!({ "type": "string", "enum": ["stdout", "stderr"] })),
            in_query("offset", "The position of the first byte.", bounded(0, (1 << 53) - 1)),
            in_query("limit", "The most bytes.", bounded(1, u64::from(LOG_BYTES_MAX))),
            in_query("follow", "Go on until the task is over.", json!({ "type": "boolean", "default": false })),
        ])
        .answers("200", piece)
        .problems(&["400", "404", "409"])
        .done()
}
