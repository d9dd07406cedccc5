//! AWS SDK for Rust, measured: publish, conditional update and scan against the null server of this bench. One thread, as
//! it runs on one core; one task for each request in flight.

mod items;
mod options;
mod usage;

use std::cell::Cell;
use std::error::Error;
use std::rc::Rc;
use std::time::Instant;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_dynamodb::error::DisplayErrorContext;
use aws_sdk_dynamodb::types::{
    AttributeValue, BatchStatementRequest, PutRequest, WriteRequest,
};
use aws_smithy_http_client::{Builder, tls};

use items::{ScannedItem, TABLE, UPDATE_STATEMENT, attributes_of, make_item};
use options::Options;

type Failure = Box<dyn Error>;

const ENTRIES_PER_REQUEST: u64 = 25;

fn main() -> Result<(), Failure> {
    let options = Options::of_command_line()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    tokio::task::LocalSet::new().block_on(&runtime, run(options))
}

async fn run(options: Options) -> Result<(), Failure> {
    let client = client_of(&options)?;
    let (path, in_flight) = (options.path.as_str(), options.in_flight);
    // What is warm: connections.
    match path {
        "publish" | "update" => write(&client, path, in_flight, 0, options.warm_up_items).await?,
        "scan" => scan(&client, in_flight, options.warm_up_pages).await?,
        _ => return Err(format!("--path={path}: say publish, update or scan").into()),
    };

    let cpu_before = usage::cpu_micros();
    let start = Instant::now();
    let items = if path == "scan" {
        scan(&client, in_flight, options.pages).await?
    } else {
        write(&client, path, in_flight, options.warm_up_items, options.items).await?
    };
    let wall_ms = start.elapsed().as_secs_f64() * 1_000.0;
    println!(
        r#"{{"items":{items},"cpuMicros":{},"wallMs":{wall_ms},"maxRssBytes":{}}}"#,
        usage::cpu_micros() - cpu_before,
        usage::max_rss_bytes(),
    );
    Ok(())
}

fn client_of(options: &Options) -> Result<Client, Failure> {
    let mut trust = tls::TrustStore::empty();
    if let Some(file) = &options.certificate_file {
        trust = trust.with_pem_certificate(std::fs::read(file)?);
    }
    let http = Builder::new()
        .tls_provider(tls::Provider::Rustls(
            tls::rustls_provider::CryptoMode::AwsLc,
        ))
        .tls_context(tls::TlsContext::builder().with_trust_store(trust).build()?)
        .build_https();
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-west-1"))
        .endpoint_url(&options.endpoint)
        .credentials_provider(Credentials::new("bench", "bench", None, None, "bench"))
        .retry_config(RetryConfig::disabled())
        .http_client(http)
        .build();
    Ok(Client::from_conf(config))
}

/// Writes items `first` to `first + count - 1`, so many requests in flight, in a task each.
async fn write(
    client: &Client,
    path: &str,
    in_flight: u64,
    first: u64,
    count: u64,
) -> Result<u64, Failure> {
    let end = first + count;
    let next = Rc::new(Cell::new(first));
    let is_update = path == "update";
    let tasks: Vec<_> = (0..in_flight)
        .map(|_| {
            let (client, next) = (client.clone(), next.clone());
            tokio::task::spawn_local(async move {
                while next.get() < end {
                    let from = next.get();
                    let to = end.min(from + ENTRIES_PER_REQUEST);
                    next.set(to);
                    if is_update {
                        update_batch(&client, from, to).await?;
                    } else {
                        publish_batch(&client, from, to).await?;
                    }
                }
                Ok::<(), Failure>(())
            })
        })
        .collect();
    for task in tasks {
        task.await??;
    }
    Ok(count)
}

async fn publish_batch(client: &Client, from: u64, to: u64) -> Result<(), Failure> {
    let requests = (from..to)
        .map(|index| {
            let put = PutRequest::builder()
                .set_item(Some(attributes_of(make_item(index))))
                .build()?;
            Ok(WriteRequest::builder().put_request(put).build())
        })
        .collect::<Result<Vec<_>, Failure>>()?;
    let answer = client
        .batch_write_item()
        .request_items(TABLE, requests)
        .send()
        .await
        .map_err(|error| DisplayErrorContext(error).to_string())?;
    if answer.unprocessed_items().is_some_and(|left| !left.is_empty()) {
        return Err("the null server leaves nothing unprocessed".into());
    }
    Ok(())
}

async fn update_batch(client: &Client, from: u64, to: u64) -> Result<(), Failure> {
    let statements = (from..to)
        .map(|index| {
            Ok(BatchStatementRequest::builder()
                .statement(UPDATE_STATEMENT)
                .parameters(AttributeValue::S("basic".into()))
                .parameters(AttributeValue::S(format!("user-{index}")))
                .parameters(AttributeValue::S("profile".into()))
                .build()?)
        })
        .collect::<Result<Vec<_>, Failure>>()?;
    let answer = client
        .batch_execute_statement()
        .set_statements(Some(statements))
        .send()
        .await
        .map_err(|error| DisplayErrorContext(error).to_string())?;
    if answer.responses().iter().any(|one| one.error().is_some()) {
        return Err("the null server refuses no statement".into());
    }
    Ok(())
}

/// Reads all pages of so many segments at once; gives the number of items.
async fn scan(client: &Client, segments: u64, pages: u64) -> Result<u64, Failure> {
    let tasks: Vec<_> = (0..segments)
        .map(|segment| {
            let client = client.clone();
            tokio::task::spawn_local(async move {
                let mut items = 0;
                let mut start_key = None;
                loop {
                    let page = client
                        .scan()
                        .table_name(format!("{TABLE}-pages-{pages}"))
                        .segment(segment as i32)
                        .total_segments(segments as i32)
                        .set_exclusive_start_key(start_key)
                        .send()
                        .await
                        .map_err(|error| DisplayErrorContext(error).to_string())?;
                    let read: Vec<ScannedItem> = page
                        .items
                        .unwrap_or_default()
                        .into_iter()
                        .map(ScannedItem::of)
                        .collect::<Result<_, _>>()?;
                    items += read.len() as u64;
                    start_key = page.last_evaluated_key;
                    if start_key.is_none() {
                        return Ok::<u64, Failure>(items);
                    }
                }
            })
        })
        .collect();
    let mut items = 0;
    for task in tasks {
        items += task.await??;
    }
    Ok(items)
}
