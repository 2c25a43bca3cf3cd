//! Something between the program and the server that can be slow, and that can cut the line at any message.
//!
//! It knows how messages begin and end in PostgreSQL's protocol (version 3), and nothing else about them. It is for
//! servers that do not encrypt.

use std::io::{self, BufReader, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::cluster::url_at;

/// The table that every statement names that takes places in lists.
const PLACES: &[u8] = b"beltic.slots";

/// Who sends a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum From {
    Program,
    Server,
}

/// Where the line is cut, once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cut {
    pub(crate) from: From,
    /// Counted from 1, over all connections.
    pub(crate) message: usize,
    /// Whether the message still arrives.
    pub(crate) arrives: bool,
}

/// A proxy, which ends with the test.
pub(crate) struct Proxy {
    port: u16,
    shared: Arc<Shared>,
    listening: Option<JoinHandle<()>>,
}

struct Shared {
    /// Where the server is.
    target: AtomicU16,
    /// How long a message takes in one direction.
    delay: Duration,
    cut: Mutex<Option<Cut>>,
    /// Messages so far, from the program and from the server.
    seen: [AtomicUsize; 2],
    /// How many there had been of both when the program spoke of places in lists.
    recordings: Mutex<Vec<[usize; 2]>>,
    lines: Mutex<Vec<Line>>,
    /// Who passes messages on, two for each line.
    passing: Mutex<Vec<JoinHandle<()>>>,
    is_over: AtomicBool,
}

/// Both ends of a connection.
#[derive(Clone)]
struct Line {
    program: Arc<TcpStream>,
    server: Arc<TcpStream>,
    /// Whether the server's next byte says whether it encrypts.
    is_asked: Arc<AtomicBool>,
}

impl Proxy {
    /// One that passes everything on.
    pub(crate) fn before(port: u16) -> Proxy {
        Proxy::new(port, Duration::ZERO, None)
    }

    /// One over which a question and its answer take so long.
    pub(crate) fn with_round_trip(port: u16, round_trip: Duration) -> Proxy {
        Proxy::new(port, round_trip / 2, None)
    }

    /// One that cuts the line once.
    pub(crate) fn with_cut(port: u16, cut: Cut) -> Proxy {
        Proxy::new(port, Duration::ZERO, Some(cut))
    }

    fn new(target: u16, delay: Duration, cut: Option<Cut>) -> Proxy {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            target: AtomicU16::new(target),
            delay,
            cut: Mutex::new(cut),
            seen: Default::default(),
            recordings: Mutex::default(),
            lines: Mutex::default(),
            passing: Mutex::default(),
            is_over: AtomicBool::new(false),
        });
        let here = Arc::clone(&shared);
        let listening = Some(thread::spawn(move || here.listen(&listener)));
        Proxy { port, shared, listening }
    }

    pub(crate) fn url(&self) -> String {
        url_at(self.port)
    }

    /// Waits until all programs are gone and their last messages were counted.
    pub(crate) fn wait_for_the_end(&self) {
        let passing = std::mem::take(&mut *self.shared.passing.lock().unwrap());
        passing.into_iter().for_each(|passing| passing.join().unwrap());
    }

    /// How many messages passed so far.
    pub(crate) fn messages(&self, from: From) -> usize {
        self.shared.seen[from as usize].load(Ordering::SeqCst)
    }

    /// How many messages had passed in both directions whenever a statement about places in lists came.
    pub(crate) fn recordings(&self) -> Vec<[usize; 2]> {
        self.shared.recordings.lock().unwrap().clone()
    }

    /// Whether the line was cut where it was to be.
    pub(crate) fn has_cut(&self) -> bool {
        self.shared.cut.lock().unwrap().is_none()
    }

    /// Cuts all connections; those that come from now on go to this server.
    pub(crate) fn lead_to(&self, port: u16) {
        self.shared.target.store(port, Ordering::SeqCst);
        self.shared.cut_all();
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
        self.shared.cut_all();
        let _ = self.listening.take().map(JoinHandle::join);
    }
}

impl Shared {
    fn listen(self: &Arc<Shared>, listener: &TcpListener) {
        for program in listener.incoming() {
            if self.is_over.load(Ordering::SeqCst) {
                return;
            }
            let Ok(program) = program else { continue };
            // A server that is away: the program finds its connection closed.
            let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, self.target.load(Ordering::SeqCst)))
            else {
                continue;
            };
            let line =
                Line { program: Arc::new(program), server: Arc::new(server), is_asked: Arc::default() };
            let _ = (line.program.set_nodelay(true), line.server.set_nodelay(true));
            self.lines.lock().unwrap().push(line.clone());
            for from in [From::Program, From::Server] {
                let (shared, line) = (Arc::clone(self), line.clone());
                let passing = thread::spawn(move || {
                    let _ = shared.pass(&line, from);
                    line.cut();
                });
                self.passing.lock().unwrap().push(passing);
            }
        }
    }

    fn cut_all(&self) {
        self.lines.lock().unwrap().drain(..).for_each(|line| line.cut());
    }

    /// Passes on what one side says, message by message.
    fn pass(&self, line: &Line, from: From) -> io::Result<()> {
        let (source, sink) = match from {
            From::Program => (&line.program, &line.server),
            From::Server => (&line.server, &line.program),
        };
        let mut source = BufReader::with_capacity(256 * 1024, &**source);
        let mut sink = Sink::new(Arc::clone(sink), self.delay);
        let mut begins = from == From::Program;
        loop {
            let message = line.next(&mut source, from, &mut begins)?;
            let number = self.seen[from as usize].fetch_add(1, Ordering::SeqCst) + 1;
            if from == From::Program && message.windows(PLACES.len()).any(|text| text == PLACES) {
                let seen = [0, 1].map(|from: usize| self.seen[from].load(Ordering::SeqCst));
                self.recordings.lock().unwrap().push(seen);
            }
            let cut = self.take_cut(from, number);
            if cut.is_none_or(|cut| cut.arrives) {
                sink.send(message)?;
            }
            if cut.is_some() {
                return Ok(());
            }
        }
    }

    /// Whether the line is to be cut at this message.
    fn take_cut(&self, from: From, message: usize) -> Option<Cut> {
        let mut cut = self.cut.lock().unwrap();
        cut.take_if(|cut| cut.from == from && cut.message == message)
    }
}

impl Line {
    fn cut(&self) {
        let _ = (self.program.shutdown(Shutdown::Both), self.server.shutdown(Shutdown::Both));
    }

    /// Reads a message, its header included.
    fn next(&self, source: &mut impl Read, from: From, begins: &mut bool) -> io::Result<Vec<u8>> {
        if *begins {
            let message = read_message(source, 0)?;
            // The number of a version is far below those of requests for encryption, and of a cancellation.
            let asks = matches!(message.get(4..8), Some([4, 210, 22, 46..=48]));
            self.is_asked.store(matches!(message.get(4..8), Some([4, 210, 22, 47 | 48])), Ordering::SeqCst);
            *begins = asks;
            return Ok(message);
        }
        if from == From::Server {
            let mut first = [0];
            source.read_exact(&mut first)?;
            if self.is_asked.swap(false, Ordering::SeqCst) {
                assert_eq!(first, *b"N", "the server encrypts");
                return Ok(first.to_vec());
            }
            let mut message = read_message(source, 0)?;
            message.insert(0, first[0]);
            return Ok(message);
        }
        read_message(source, 1)
    }
}

/// Reads so many bytes, a length that counts itself, and what it is the length of.
fn read_message(source: &mut impl Read, before: usize) -> io::Result<Vec<u8>> {
    let mut message = vec![0; before + 4];
    source.read_exact(&mut message)?;
    let length = u32::from_be_bytes(message[before..].try_into().expect("four bytes"));
    message.resize(before + length.max(4) as usize, 0);
    source.read_exact(&mut message[before + 4..])?;
    Ok(message)
}

/// Where messages go, at once or a while later; a delay does not make later messages wait for earlier ones.
enum Sink {
    AtOnce(Arc<TcpStream>),
    Later { delay: Duration, queue: mpsc::Sender<(Instant, Vec<u8>)> },
}

impl Sink {
    fn new(stream: Arc<TcpStream>, delay: Duration) -> Sink {
        if delay.is_zero() {
            return Sink::AtOnce(stream);
        }
        let (queue, waiting) = mpsc::channel::<(Instant, Vec<u8>)>();
        thread::spawn(move || {
            for (due, message) in waiting {
                thread::sleep(due.saturating_duration_since(Instant::now()));
                if (&*stream).write_all(&message).is_err() {
                    return;
                }
            }
        });
        Sink::Later { delay, queue }
    }

    fn send(&mut self, message: Vec<u8>) -> io::Result<()> {
        match self {
            Sink::AtOnce(stream) => (&**stream).write_all(&message),
            Sink::Later { delay, queue } => {
                let _ = queue.send((Instant::now() + *delay, message));
                Ok(())
            }
        }
    }
}

/// What the other tests rest on, seen with a program that is not the one under test.
#[test]
fn a_proxy_passes_messages_on_and_cuts_where_it_is_told() {
    let Some(cluster) = crate::cluster::Cluster::new() else { return };
    let ask = |proxy: &Proxy| {
        let mut psql = cluster.program("psql");
        psql.args(["--no-psqlrc", "--tuples-only", "--no-align", "--command", "SELECT 6 * 7", &proxy.url()]);
        psql.output().unwrap()
    };
    let proxy = Proxy::before(cluster.port());
    assert_eq!(ask(&proxy).stdout, b"42\n");
    proxy.wait_for_the_end();
    let messages = [From::Program, From::Server].map(|from| proxy.messages(from));
    assert!(messages[0] >= 3 && messages[1] > 5, "{messages:?}");

    for (from, messages) in [From::Program, From::Server].into_iter().zip(messages) {
        for message in 1..=messages {
            let proxy = Proxy::with_cut(cluster.port(), Cut { from, message, arrives: false });
            let answer = ask(&proxy);
            assert!(proxy.has_cut(), "{from:?} {message}");
            // Without the last message of the program, which says farewell, everything is done.
            let is_farewell = from == From::Program && message == messages;
            assert_eq!(answer.status.success(), is_farewell, "{from:?} {message}");
        }
    }
    let slow = Proxy::with_round_trip(cluster.port(), Duration::from_millis(20));
    let before = Instant::now();
    assert_eq!(ask(&slow).stdout, b"42\n");
    assert!(before.elapsed() >= Duration::from_millis(60), "three questions and answers at least");
}
