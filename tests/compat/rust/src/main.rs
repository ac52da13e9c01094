//! crates.io riak 0.3.4, over Protocol Buffers: put, get, make siblings, resolve
//! them, delete. Prints `step ok` or `step FAIL why`; later steps need the earlier.

use riak::errors::RiakErr;
use riak::object::{DeleteObjectReq, FetchObjectReq, FetchObjectResp, ObjectContent, StoreObjectReq};
use riak::Client;

const TYPE: &str = "siblings";
const BUCKET: &str = "compat";

fn store(client: &mut Client, key: &str, value: &str, vclock: Option<Vec<u8>>) -> Result<(), RiakErr> {
    let mut request = StoreObjectReq::new(BUCKET, ObjectContent::new(value));
    request.set_bucket_type(TYPE);
    request.set_key(key);
    if let Some(vclock) = vclock {
        request.set_vclock(vclock);
    }
    client.store_object(request)
}

fn fetch(client: &mut Client, key: &str) -> Result<FetchObjectResp, RiakErr> {
    let mut request = FetchObjectReq::new(BUCKET, key);
    request.set_bucket_type(TYPE);
    client.fetch_object(request)
}

fn expect_values(found: &FetchObjectResp, wanted: &[&str]) -> Result<(), String> {
    let mut values: Vec<String> = found
        .content
        .iter()
        .map(|content| String::from_utf8_lossy(content.get_value()).into_owned())
        .collect();
    values.sort();
    if values == wanted {
        Ok(())
    } else {
        Err(format!("{:?}", values))
    }
}

fn text(error: RiakErr) -> String {
    format!("{:?}", error)
}

fn step(client: &mut Client, name: &str, plain: &str, conflict: &str) -> Result<(), String> {
    match name {
        "put" => store(client, plain, "hello", None).map_err(text),
        "get" => expect_values(&fetch(client, plain).map_err(text)?, &["hello"]),
        "siblings" => {
            store(client, conflict, "one", None).map_err(text)?;
            store(client, conflict, "two", None).map_err(text)?;
            expect_values(&fetch(client, conflict).map_err(text)?, &["one", "two"])
        }
        "resolve" => {
            let found = fetch(client, conflict).map_err(text)?;
            store(client, conflict, "one and two", Some(found.vclock)).map_err(text)?;
            expect_values(&fetch(client, conflict).map_err(text)?, &["one and two"])
        }
        _ => {
            let mut request = DeleteObjectReq::new(BUCKET, plain);
            request.set_bucket_type(TYPE);
            client.delete_object(request).map_err(text)?;
            expect_values(&fetch(client, plain).map_err(text)?, &[])
        }
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let (host, port, prefix) = (&arguments[1], &arguments[2], &arguments[3]);
    let mut client = Client::new(format!("{}:{}", host, port).as_str()).expect("connect");
    let plain = format!("{}-plain", prefix);
    let conflict = format!("{}-conflict", prefix);
    for name in &["put", "get", "siblings", "resolve", "delete"] {
        match step(&mut client, name, &plain, &conflict) {
            Ok(()) => println!("{} ok", name),
            Err(why) => {
                println!("{} FAIL {}", name, why);
                std::process::exit(1);
            }
        }
    }
}
