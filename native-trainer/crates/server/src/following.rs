//! Follows the folders of models while the server runs, whether or not anybody asks for their list.

use std::sync::Arc;
use std::time::Duration;

use super::engines::Engines;
use super::models::Models;

/// Time between two looks, which cost a few system calls for each model.
const INTERVAL: Duration = Duration::from_secs(1);

/// Hosts the models that are put into the folders and lets them answer, and the reverse for those that are taken away,
/// for ever.
pub(super) async fn follow_folders(models: Arc<Models>, engines: Option<Arc<Engines>>) {
    if !models.has_model_folders() {
        return std::future::pending().await;
    }
    loop {
        tokio::time::sleep(INTERVAL).await;
        if models.on_offer().await.is_err() {
            tracing::error!("the folders of models could not be checked");
        }
        if let Some(engines) = &engines {
            engines.follow().await;
        }
    }
}
