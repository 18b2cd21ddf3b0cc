//! stub
/// x
pub fn serve(_p: u16) -> std::io::Result<()> { Ok(()) }
