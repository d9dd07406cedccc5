use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

pub const TABLE: &str = "bench";
pub const UPDATE_STATEMENT: &str =
    r#"UPDATE "bench" SET "tier"=? WHERE "pk"=? AND "sk"=? AND "tier" IS MISSING"#;

const FIRST_NAMES: [&str; 8] = [
    "Ada", "Grace", "Edsger", "Barbara", "Donald", "Frances", "Niklaus", "Margaret",
];
const TAGS: [&str; 5] = ["gold", "north", "trial", "team", "mobile"];

/// What an application would hand over.
pub struct Item {
    pk: String,
    sk: String,
    name: String,
    email: String,
    active: bool,
    score: f64,
    tags: Vec<String>,
}

/// The same index always makes the same item, in every language of this bench.
pub fn make_item(index: u64) -> Item {
    let name = FIRST_NAMES[(index & 7) as usize];
    Item {
        pk: format!("user-{index}"),
        sk: "profile".into(),
        name: format!("{name} {index}"),
        email: format!("{name}.{index}@example.com"),
        active: index & 3 != 0,
        score: (index % 1_000) as f64 / 8.0,
        tags: vec![
            TAGS[(index % 5) as usize].into(),
            TAGS[((index + 2) % 5) as usize].into(),
        ],
    }
}

pub fn attributes_of(item: Item) -> HashMap<String, AttributeValue> {
    let tags = item.tags.into_iter().map(AttributeValue::S).collect();
    HashMap::from([
        ("pk".into(), AttributeValue::S(item.pk)),
        ("sk".into(), AttributeValue::S(item.sk)),
        ("name".into(), AttributeValue::S(item.name)),
        ("email".into(), AttributeValue::S(item.email)),
        ("active".into(), AttributeValue::Bool(item.active)),
        ("score".into(), AttributeValue::N(item.score.to_string())),
        ("tags".into(), AttributeValue::L(tags)),
    ])
}

/// What an application would work with; written out for this one shape.
#[allow(dead_code)]
pub struct ScannedItem {
    pk: String,
    sk: String,
    name: String,
    email: String,
    active: bool,
    score: f64,
    tags: Vec<String>,
    address: Address,
}

#[allow(dead_code)]
struct Address {
    city: String,
    zip: String,
}

type Attributes = HashMap<String, AttributeValue>;

impl ScannedItem {
    pub fn of(mut attributes: Attributes) -> Result<Self, String> {
        let Some(AttributeValue::L(tags)) = attributes.remove("tags") else {
            return Err("tags is no list".into());
        };
        let Some(AttributeValue::M(mut address)) = attributes.remove("address") else {
            return Err("address is no map".into());
        };
        let Some(AttributeValue::Bool(active)) = attributes.remove("active") else {
            return Err("active is no boolean".into());
        };
        let Some(AttributeValue::N(score)) = attributes.remove("score") else {
            return Err("score is no number".into());
        };
        Ok(Self {
            pk: text(&mut attributes, "pk")?,
            sk: text(&mut attributes, "sk")?,
            name: text(&mut attributes, "name")?,
            email: text(&mut attributes, "email")?,
            active,
            score: score.parse().map_err(|_| "score is no double")?,
            tags: tags
                .into_iter()
                .map(|tag| match tag {
                    AttributeValue::S(tag) => Ok(tag),
                    _ => Err("a tag is no text".to_string()),
                })
                .collect::<Result<_, _>>()?,
            address: Address {
                city: text(&mut address, "city")?,
                zip: text(&mut address, "zip")?,
            },
        })
    }
}

fn text(attributes: &mut Attributes, name: &str) -> Result<String, String> {
    match attributes.remove(name) {
        Some(AttributeValue::S(text)) => Ok(text),
        _ => Err(format!("{name} is no text")),
    }
}
