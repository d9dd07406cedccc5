/// What the bench says on the command line, each as `--name=value`.
#[derive(Default)]
pub struct Options {
    pub path: String,
    pub endpoint: String,
    pub certificate_file: Option<String>,
    pub in_flight: u64,
    pub items: u64,
    pub warm_up_items: u64,
    pub pages: u64,
    pub warm_up_pages: u64,
}

impl Options {
    pub fn of_command_line() -> Result<Self, String> {
        let mut options = Self::default();
        for argument in std::env::args().skip(1) {
            let (name, value) = argument
                .split_once('=')
                .ok_or(format!("{argument}: say --name=value"))?;
            let number = || value.parse().map_err(|_| format!("{argument}: no number"));
            match name {
                "--path" => options.path = value.into(),
                "--endpoint" => options.endpoint = value.into(),
                "--ca" => options.certificate_file = Some(value.into()),
                "--in-flight" => options.in_flight = number()?,
                "--items" => options.items = number()?,
                "--warm-up" => options.warm_up_items = number()?,
                "--pages" => options.pages = number()?,
                "--warm-up-pages" => options.warm_up_pages = number()?,
                _ => return Err(format!("{argument}: not known")),
            }
        }
        Ok(options)
    }
}
