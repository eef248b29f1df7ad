use anyhow::{Result, ensure};
use ssm_organizations::plan::{Clients, Plan, Receipt, Target};
use tokio::sync::{mpsc, oneshot};

use crate::DEADLINE;

/// Plan for a reviewer.
#[derive(Debug)]
pub struct Review {
    /// Text of the plan, for people.
    pub text: String,
    /// Plan as JSON, to apply later.
    pub saved: String,
    /// Digest that the reviewer approves.
    pub digest: String,
}

enum Request {
    Plan(Target, oneshot::Sender<Result<Review>>),
    Apply(String, String, oneshot::Sender<Result<Receipt>>),
}

/// Long-lived task for the plans of one organization, which ends with the last clone of this value.
#[derive(Debug, Clone)]
pub struct Planner(mpsc::Sender<Request>);

impl Planner {
    /// Starts the task, which owns the clients.
    #[must_use]
    pub fn start(clients: Clients<'static>) -> Self {
        let (sender, mut requests) = mpsc::channel(16);
        tokio::spawn(async move {
            while let Some(request) = requests.recv().await {
                let clients = clients.clone().with_deadline(DEADLINE);
                // A caller that no longer waits needs no reply.
                match request {
                    Request::Plan(target, reply) => drop(reply.send(plan(&target, &clients).await)),
                    Request::Apply(saved, digest, reply) => drop(reply.send(apply(&saved, &digest, &clients).await)),
                }
            }
        });
        Self(sender)
    }

    /// Computes a plan for a review.
    pub async fn plan(&self, target: Target) -> Result<Review> {
        let (reply, review) = oneshot::channel();
        self.0.send(Request::Plan(target, reply)).await?;
        review.await?
    }

    /// Applies a saved plan that has the approved digest.
    pub async fn apply(&self, saved: String, digest: String) -> Result<Receipt> {
        let (reply, receipt) = oneshot::channel();
        self.0.send(Request::Apply(saved, digest, reply)).await?;
        receipt.await?
    }
}

async fn plan(target: &Target, clients: &Clients<'_>) -> Result<Review> {
    let plan = target.plan(clients).await?;
    Ok(Review { text: plan.to_string(), saved: serde_json::to_string(&plan)?, digest: plan.digest()? })
}

async fn apply(saved: &str, digest: &str, clients: &Clients<'_>) -> Result<Receipt> {
    let plan: Plan = serde_json::from_str(saved)?;
    ensure!(plan.digest()? == digest, "the plan is not the approved one");
    Ok(plan.apply(clients, |_event| {}).await?.receipt)
}
