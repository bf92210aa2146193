//! PulseAudio client for Linux desktops, also for PipeWire's PulseAudio protocol.
//!
//! It needs no system library, neither at build time nor at run time.

use std::ffi::CString;
use std::io::BufReader;
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::Duration;

use pulseaudio::protocol::stream::{BufferAttr, StreamFlags};
use pulseaudio::protocol::{
    self, AuthParams, AuthReply, ChannelMap, ChannelVolume, Command, CreatePlaybackStreamReply, DEFAULT_SINK,
    MAX_VERSION, PlaybackStreamParams, Prop, Props, ProtocolError, Request, SampleFormat, SampleSpec,
    SetClientNameReply,
};

use super::mixer::{Mixer, RATE};
use crate::ui::texts::sound::{NO_SERVER, lost, no_answer};

/// Server buffer in bytes: 40 ms. A click is audible while its spike is still on the screen.
const BUFFER_BYTES: u32 = 2 * RATE / 25;
/// Maximum number of bytes per write, for any request of the server: half a second.
const MAX_WRITE: u32 = RATE;
/// Timeout until the server has accepted the stream. There is no timeout later, because the device may be suspended.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Connects to the server's socket.
pub fn connect() -> Result<UnixStream, String> {
    let path = pulseaudio::socket_path_from_env().ok_or(NO_SERVER)?;
    UnixStream::connect(&path).map_err(|error| no_answer(&path.display().to_string(), &error.to_string()))
}

/// Plays the click counts received from `wanted` until the channel closes.
pub fn play(socket: UnixStream, wanted: &Receiver<usize>) -> Result<(), String> {
    let timeouts =
        socket.set_read_timeout(Some(CONNECT_TIMEOUT)).and_then(|()| socket.set_write_timeout(Some(CONNECT_TIMEOUT)));
    timeouts.map_err(|error| lost(&error.to_string()))?;
    run_protocol(BufReader::new(socket), wanted).map_err(|error| lost(&error.to_string()))
}

fn run_protocol(mut socket: BufReader<UnixStream>, wanted: &Receiver<usize>) -> Result<(), ProtocolError> {
    let cookie = pulseaudio::cookie_path_from_env().and_then(|path| std::fs::read(path).ok()).unwrap_or_default();
    let auth = AuthParams { version: MAX_VERSION, supports_shm: false, supports_memfd: false, cookie };
    protocol::write_command_message(socket.get_mut(), 0, &Command::Auth(auth), MAX_VERSION)?;
    let (_, known) = protocol::read_reply_message::<AuthReply>(&mut socket, MAX_VERSION)?;
    let version = MAX_VERSION.min(known.version);
    let mut named = Props::new();
    named.set(Prop::ApplicationName, CString::from(c"Spikescope"));
    protocol::write_command_message(socket.get_mut(), 1, &Command::SetClientName(named), version)?;
    protocol::read_reply_message::<SetClientNameReply>(&mut socket, version)?;
    let stream = PlaybackStreamParams {
        sample_spec: SampleSpec { format: SampleFormat::S16Le, channels: 1, sample_rate: RATE },
        channel_map: ChannelMap::mono(),
        cvolume: Some(ChannelVolume::norm(1)),
        sink_name: Some(DEFAULT_SINK.to_owned()),
        buffer_attr: BufferAttr {
            target_length: BUFFER_BYTES,
            minimum_request_length: BUFFER_BYTES / 4,
            ..BufferAttr::default()
        },
        flags: StreamFlags { adjust_latency: true, ..StreamFlags::default() },
        ..PlaybackStreamParams::default()
    };
    protocol::write_command_message(socket.get_mut(), 2, &Command::CreatePlaybackStream(stream), version)?;
    let (_, stream) = protocol::read_reply_message::<CreatePlaybackStreamReply>(&mut socket, version)?;
    socket.get_ref().set_read_timeout(None)?;
    let mut mixer = Mixer::default();
    let mut length = stream.requested_bytes;
    loop {
        if length > 0 {
            loop {
                match wanted.try_recv() {
                    Ok(count) => mixer.add(count),
                    Err(TryRecvError::Empty) => break,
                    // The sound was turned off.
                    Err(TryRecvError::Disconnected) => return Ok(()),
                }
            }
            let bytes = mixer.bytes(length.min(MAX_WRITE) as usize / 2);
            protocol::write_memblock(socket.get_mut(), stream.channel, &bytes, 0)?;
        }
        // The server requests more samples when its buffer has space, which sets the pace.
        length = match protocol::read_command_message(&mut socket, version)?.1 {
            Command::Request(Request { channel, length }) if channel == stream.channel => length,
            Command::Error(error) => return Err(ProtocolError::ServerError(error)),
            _ => 0,
        };
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::sync::mpsc::channel;

    use super::*;

    /// A server as the player sees it; sends the samples that it received for each of its requests.
    fn server(socket: UnixStream, requests: &[u32]) -> Vec<Vec<u8>> {
        let mut socket = BufReader::new(socket);
        let version = MAX_VERSION;
        let (seq, hello) = protocol::read_command_message(&mut socket, version).unwrap();
        assert!(matches!(hello, Command::Auth(_)));
        let reply = AuthReply { version, use_memfd: false, use_shm: false };
        protocol::write_reply_message(socket.get_mut(), seq, &reply, version).unwrap();
        let (seq, name) = protocol::read_command_message(&mut socket, version).unwrap();
        assert!(matches!(name, Command::SetClientName(_)));
        protocol::write_reply_message(socket.get_mut(), seq, &SetClientNameReply { client_id: 7 }, version).unwrap();
        let (seq, stream) = protocol::read_command_message(&mut socket, version).unwrap();
        let Command::CreatePlaybackStream(stream) = stream else { panic!("{stream:?}") };
        let reply = CreatePlaybackStreamReply {
            channel: 3,
            requested_bytes: 0,
            sample_spec: stream.sample_spec,
            channel_map: stream.channel_map,
            ..CreatePlaybackStreamReply::default()
        };
        protocol::write_reply_message(socket.get_mut(), seq, &reply, version).unwrap();
        let mut received = Vec::new();
        for &length in requests {
            let more = Command::Request(Request { channel: 3, length });
            protocol::write_command_message(socket.get_mut(), u32::MAX, &more, version).unwrap();
            let head = protocol::read_descriptor(&mut socket).unwrap();
            assert_eq!((head.channel, head.length), (3, length));
            let mut bytes = vec![0; length as usize];
            socket.read_exact(&mut bytes).unwrap();
            received.push(bytes);
        }
        received
    }

    #[test]
    fn server_receives_silence_then_the_sent_clicks() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let (clicks, wanted) = channel();
        let player = std::thread::spawn(move || play(ours, &wanted));
        clicks.send(1).unwrap();
        let received = server(theirs, &[2000, 2000]);
        assert!(received[0].iter().any(|byte| *byte != 0), "the click");
        assert!(received[1].iter().all(|byte| *byte == 0), "silence after it");
        // The server is gone.
        let reason = player.join().unwrap().unwrap_err();
        assert!(reason.contains("sound server"), "{reason}");
        drop(clicks);
    }

    #[test]
    fn closed_channel_ends_the_player() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let (clicks, wanted) = channel::<usize>();
        drop(clicks);
        let served = std::thread::spawn(move || {
            // It stops at the first request.
            let _ = std::panic::catch_unwind(move || server(theirs, &[400]));
        });
        assert_eq!(play(ours, &wanted), Ok(()));
        served.join().unwrap();
    }
}
