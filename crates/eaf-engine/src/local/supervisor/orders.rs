//! What a client may say, and what is done about it.
//!
//! What: one function a message. Why orders are answered by reports: a client that comes again after a crash orders
//! everything again, and must learn what has happened meanwhile. Absent: starting (`start`) and stopping (`finish`).

use super::{Supervisor, now};
use crate::local::records::Ended;
use crate::local::supervisor::task::{Phase, Task};
use crate::local::wire::{ToFactory, ToSupervisor};
use eaf_model::{Effect, Exit, Known, StopOrder, TaskKey, TaskReport, Usage};
use std::os::unix::fs::OpenOptionsExt;

impl Supervisor {
    /// Carries out one line.
    pub(super) fn obey(&mut self, client: u32, line: &[u8]) {
        let refuse = |why: String| ToFactory::Refused { why };
        let message = match serde_json::from_slice::<ToSupervisor>(line) {
            Ok(message) => message,
            Err(error) => return self.say(client, &refuse(format!("this is no message that is known here: {error}"))),
        };
        if let ToSupervisor::Hello { version, secret } = message {
            if secret != self.secret {
                return self.say(client, &refuse("the secret is wrong".to_owned()));
            }
            if let Some(client) = self.clients.get_mut(&client) {
                client.greeted = true;
            }
            tracing::debug!(release = version.release, protocol = version.protocol, "a client says hello");
            let hello = ToFactory::Hello { version: self.config.version.clone(), pid: std::process::id() };
            return self.say(client, &hello);
        }
        if !self.clients.get(&client).is_some_and(|client| client.greeted) {
            return self.say(client, &refuse("a client says hello first".to_owned()));
        }
        match message {
            ToSupervisor::Hello { .. } => {}
            ToSupervisor::Upgrade { executable, args } => {
                let error = self.upgrade(&executable, &args);
                self.say(client, &refuse(format!("cannot become {}: {error}", executable.display())));
            }
            ToSupervisor::Configure(settings) => {
                let kept = self.put_in_force((*settings).clone()).and_then(|()| {
                    self.keep_settings(&settings).map_err(|error| format!("the settings cannot be kept: {error}"))
                });
                let answer = kept.map_or_else(refuse, |()| ToFactory::Configured);
                self.say(client, &answer);
            }
            ToSupervisor::Orders(effects) => {
                for effect in effects {
                    self.take_order(effect);
                }
            }
            ToSupervisor::Reconcile { call } => {
                // What is not on file yet is not told.
                self.publish();
                let tasks = self.everything_known();
                self.say(client, &ToFactory::Known { call, tasks });
            }
            ToSupervisor::Settle(keys) => {
                for key in keys {
                    self.settle(key);
                }
            }
            ToSupervisor::Limits { call } => {
                let text = self.limits_text();
                self.say(client, &ToFactory::Limits { call, text });
            }
            ToSupervisor::Shutdown { stop_work } => self.shut_down(stop_work),
        }
    }

    fn keep_settings(&self, settings: &crate::local::Settings) -> std::io::Result<()> {
        let path = self.dirs.settings();
        let new = path.with_extension("new");
        let mut options = std::fs::OpenOptions::new();
        let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&new)?;
        std::io::Write::write_all(&mut file, &serde_json::to_vec(settings)?)?;
        std::fs::rename(&new, &path)
    }

    fn take_order(&mut self, effect: Effect) {
        let Some(key) = effect.key() else { return };
        match effect {
            Effect::Start(order) => {
                if let Some(report) = self.tasks.get(&key).map(Task::report) {
                    self.report(key, report);
                } else if self.ending {
                    // It will be ordered again from the next supervisor.
                } else if self.queued.insert(key) {
                    self.queue.push_back(order);
                }
            }
            Effect::Stop(order) => self.take_stop(key, order),
            // The factory's end of the engine carries those out.
            Effect::SetMode(_) => {}
        }
    }

    fn take_stop(&mut self, key: TaskKey, order: StopOrder) {
        if self.queued.remove(&key) {
            self.queue.retain(|queued| queued.key != key);
            return self.never_started(key, Exit::Signal(libc::SIGTERM));
        }
        match self.tasks.get(&key).map(|task| (task.is_live(), task.report())) {
            None => self.report(key, TaskReport::Unknown),
            Some((false, report)) => self.report(key, report),
            Some((true, _)) => {
                let passed = now().since(order.ordered_at).0.min(order.grace.0);
                self.stop(key, std::time::Duration::from_millis(order.grace.0 - passed));
            }
        }
    }

    /// Records the end of a task that never had a process.
    pub(super) fn never_started(&mut self, key: TaskKey, exit: Exit) {
        let ended = Ended { at: now(), exit, usage: Usage::default() };
        self.records.ended(key, &ended);
        let task = Task::ended(ended);
        self.report(key, task.report());
        self.tasks.insert(key, task);
    }

    fn everything_known(&mut self) -> Vec<Known> {
        // Who asks may have heard of no checkpoint; each is told again.
        self.tasks.values_mut().for_each(|task| task.checkpoint_told = None);
        let tasks = self.tasks.iter().map(|(key, task)| Known { key: *key, report: task.report() });
        let queued = self.queued.iter().map(|key| Known { key: *key, report: TaskReport::Accepted });
        tasks.chain(queued).collect()
    }

    fn settle(&mut self, key: TaskKey) {
        if self.tasks.get(&key).is_some_and(|task| matches!(task.phase, Phase::Ended(_))) {
            self.tasks.remove(&key);
            self.records.settled(key);
        }
    }

    fn shut_down(&mut self, stop_work: bool) {
        if !stop_work {
            self.done = true;
            return;
        }
        self.ending = true;
        self.queued.clear();
        for order in std::mem::take(&mut self.queue) {
            self.never_started(order.key, Exit::Signal(libc::SIGTERM));
        }
        let live: Vec<_> =
            self.tasks.iter().filter(|(_, task)| task.is_live()).map(|(key, t)| (*key, t.grace())).collect();
        for (key, grace) in live {
            self.stop(key, grace);
        }
    }
}
