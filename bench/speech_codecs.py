"""Rate and quality beside Opus and Codec 2: python3 bench/speech_codecs.py VQSPEECH DATA OUT

VQSPEECH is the program, DATA a folder of `vqspeech prepare --audio`; opusenc and
opusdec (Debian package opus-tools), c2enc and c2dec (codec2) and sox do the rest.
Every utterance of a split is encoded and decoded, a process for each, by

  vqspeech   the units of the embedded model in the speaker's own voice, which the
             file names, with --vocoder wavenet and griffinlim; GOMAXPROCS=1
  Opus       6 to 12 kbit/s, packets of 60 ms, variable rate, tuned for speech
  Codec 2    every mode of the tools for 8 kHz; its delay is taken out

and measured by `vqspeech eval`. "8 kHz" is no codec: the recording at half the
sample rate, which is all that Codec 2 is given. It prints a Markdown table with
95 % intervals over utterances. What is in OUT already is kept, its costs included.

bit/s, file counts whole files, headers included; bit/s, coded what a stream has to
carry: the packets of Opus, the bits of the frames of Codec 2 (its files round them up
to bytes), nine bits a unit. Entropy is that of the units, each by itself. Below
4 kHz the recordings and what became of them are compared at a sample rate of 8 kHz.
"""
import argparse
import json
import os
import subprocess
from collections import Counter
from pathlib import Path

from vocoders import Program, cell, folder, utterances

OPUS_KBITS = (6, 8, 10, 12)
# bits and ms of a frame, and by how many ms what c2dec writes is late: where the
# envelopes of recording and result agree best, which is within 2 ms alike for all.
CODEC2 = {
    "450": (18, 40, 25),
    "700C": (28, 40, 30),
    "1200": (48, 40, 20),
    "1300": (52, 40, 20),
    "2400": (48, 20, 20),
    "3200": (64, 20, 20),
}
SCORES = [  # heading, eval, score, decimals, at 8 kHz
    ("STOI", "stoi", "stoi", 3, False),
    ("MCD (dB)", "mcd", "mcd_db", 2, False),
    ("mel MSE (dB²)", "mse", "mse_db2", 1, False),
    ("MCD, below 4 kHz", "mcd", "mcd_db", 2, True),
    ("mel MSE, below 4 kHz", "mse", "mse_db2", 1, True),
]


def arguments():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("vqspeech")
    p.add_argument("data", type=Path)
    p.add_argument("out", type=Path)
    p.add_argument("--split", default="valid")
    p.add_argument("--utterances", type=int, help="only so many of the split, from all over it")
    return p.parse_args()


def run(*args):
    """Runs a program to its end and returns the processor time it took (s)."""
    environment = {**os.environ, "GOMAXPROCS": "1"}
    p = subprocess.Popen([str(a) for a in args], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(p.pid, 0)
    p.returncode = os.waitstatus_to_exitcode(status)
    if p.returncode:
        raise subprocess.CalledProcessError(p.returncode, p.args)
    return used.ru_utime + used.ru_stime


def sox(*args):
    run("sox", "-V1", "-D", *args)


RAW_8K = ("-t", "raw", "-r", 8000, "-e", "signed", "-b", 16, "-c", 1)


# A codec turns the recording of an utterance into wav, 16 kHz, by way of coded, and
# returns what that cost: bytes, coded bits, processor time of both ways, audio band.


class VQSpeech:
    suffix = ".vqs"

    def __init__(self, program, vocoder):
        self.name, self.program, self.vocoder = f"vqspeech, {vocoder}", program, vocoder

    def code(self, u, coded, wav):
        encode = run(self.program, "encode", u["file"], "--speaker", u["speaker"], "-o", coded)
        decode = run(self.program, "decode", coded, "--vocoder", self.vocoder, "-o", wav)
        return {"encode": encode, "decode": decode, "band": "8 kHz"}


class Opus:
    suffix = ".opus"

    def __init__(self, kbits):
        self.name, self.kbits = f"Opus, {kbits} kbit/s", kbits

    def code(self, u, coded, wav):
        encode = run("opusenc", "--quiet", "--bitrate", self.kbits, "--speech", "--framesize", 60, "--padding", 0, u["file"], coded)
        decode = run("opusdec", "--quiet", "--rate", 16000, "--no-dither", coded, wav)
        packets = ogg_packets(coded.read_bytes())[2:]  # the first two are headers
        bands = Counter(opus_band(p) for p in packets)
        return {"encode": encode, "decode": decode, "bits": 8 * sum(map(len, packets)), "band": bands.most_common(1)[0][0]}


class Codec2:
    suffix = ".c2"

    def __init__(self, mode):
        self.name, self.mode = f"Codec 2, {mode}", mode

    def code(self, u, coded, wav):
        bits, frame, late = CODEC2[self.mode]
        raw, back = wav.with_suffix(".raw"), wav.with_suffix(".back.raw")
        samples = int(u["seconds"] * 8000)
        wanted = samples + late * 8  # c2enc drops what fills no frame
        frames = -(-wanted // (frame * 8))
        sox(u["file"], *RAW_8K, raw, "rate")
        os.truncate(raw, 2 * frames * frame * 8)
        encode = run("c2enc", self.mode, raw, coded)
        decode = run("c2dec", self.mode, coded, back)
        sox(*RAW_8K, back, "-r", 16000, wav, "trim", f"{late * 8}s", f"{samples}s", "rate")
        raw.unlink()
        back.unlink()
        return {"encode": encode, "decode": decode, "bits": bits * frames, "band": "4 kHz"}


class Narrow:
    name, suffix = "8 kHz", ".wav"

    def code(self, u, coded, wav):
        sox(u["file"], "-r", 8000, coded, "rate")
        sox(coded, "-r", 16000, wav, "rate")
        return {"band": "4 kHz"}


def ogg_packets(data):
    """Returns the packets of an Ogg file of one stream (RFC 3533)."""
    packets, packet, at = [], b"", 0
    while at < len(data):
        n = data[at + 26]
        lengths = data[at + 27 : at + 27 + n]
        at += 27 + n
        for length in lengths:
            packet += data[at : at + length]
            at += length
            if length < 255:
                packets.append(packet)
                packet = b""
    return packets


def opus_band(packet):
    """Returns the audio band of a packet at the rates asked for here (RFC 6716, table 2)."""
    config = packet[0] >> 3
    return ("4 kHz", "6 kHz", "8 kHz")[config // 4] if config < 12 else "above 8 kHz"


def make(codec, us, out):
    """Codes the utterances that are not there yet and returns the costs of all."""
    log = out / "costs.json"
    costs = json.loads(log.read_text()) if log.exists() else {}
    coded, wavs, narrow = folder(out / "coded"), folder(out / "wav"), folder(out / "wav8k")
    for u in us:
        if u["id"] in costs:
            continue
        file, wav = coded / (u["id"] + codec.suffix), wavs / f"{u['id']}.wav"
        cost = codec.code(u, file, wav)
        sox(wav, "-r", 8000, narrow / wav.name, "rate")
        costs[u["id"]] = {**cost, "bytes": file.stat().st_size}
        log.write_text(json.dumps(costs))
    return [costs[u["id"]] for u in us]


def rates(codec, program, seconds, costs, out):
    """Returns bit/s of the files, coded, and by entropy."""
    if isinstance(codec, Narrow):
        return ["–"] * 3
    file = 8 * sum(c["bytes"] for c in costs) / seconds
    if isinstance(codec, VQSpeech):
        units = program.eval("bitrate", "--units", out / "coded")
        return [f"{file:.0f}", f"{units['nominal_bitrate_bps']:.0f}", cell(units["scores"]["bitrate_bps"], 1, 0)]
    return [f"{file:.0f}", f"{sum(c['bits'] for c in costs) / seconds:.0f}", "–"]


def speed(seconds, costs, way):
    if way not in costs[0]:
        return "–"
    times = seconds / sum(c[way] for c in costs)
    return f"{times:.0f}" if times >= 10 else f"{times:.1f}"


def row(codec, program, us, out):
    here = out / codec.name.replace(",", "").replace("/", "").replace(" ", "-")
    costs = make(codec, us, here)
    seconds = sum(u["seconds"] for u in us)
    cells, failed = [], 0
    for _, metric, score, decimals, narrow in SCORES:
        ref, wavs = (out / "recordings8k", here / "wav8k") if narrow else (out / "recordings", here / "wav")
        report = program.eval(metric, ref, wavs)
        failed += report["failed"]
        cells.append(cell(report["scores"][score], 1, decimals))
    name = codec.name + (f" ({failed} failures)" if failed else "")
    band = Counter(c["band"] for c in costs).most_common(1)[0][0]
    cells = [name, band, *rates(codec, program, seconds, costs, here), *cells]
    return "| " + " | ".join([*cells, speed(seconds, costs, "encode"), speed(seconds, costs, "decode")]) + " |"


def main():
    a = arguments()
    program = Program(a.vqspeech, None)
    us = utterances(a.data, a.split, a.utterances)
    wide, narrow = folder(a.out / "recordings"), folder(a.out / "recordings8k")
    for u in us:
        u["file"] = wide / f"{u['id']}.wav"
        if not u["file"].exists():
            u["file"].symlink_to((a.data / u["audio"]).resolve())
        if not (narrow / u["file"].name).exists():
            sox(u["file"], "-r", 8000, narrow / u["file"].name, "rate")
    codecs = [VQSpeech(a.vqspeech, v) for v in ("wavenet", "griffinlim")]
    codecs += [Codec2(mode) for mode in CODEC2] + [Opus(kbits) for kbits in OPUS_KBITS] + [Narrow()]

    heads = ["", "band", "bit/s, file", "bit/s, coded", "bit/s, entropy", *(s[0] for s in SCORES), "encode, × real time", "decode, × real time"]
    print("| " + " | ".join(heads) + " |")
    print("|---" * len(heads) + "|")
    for codec in codecs:
        print(row(codec, program, us, a.out), flush=True)


if __name__ == "__main__":
    main()
