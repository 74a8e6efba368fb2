// The camera: one frame after the other, each as soon as the last is answered.

export class Camera {
  private video = document.createElement("video");
  private stream: MediaStream | null = null;
  /** Of the last start; null if the camera is off. */
  private turn: object | null = null;

  constructor(private onFrame: (video: HTMLVideoElement) => Promise<void>) {
    this.video.muted = true;
    this.video.playsInline = true;
  }

  /** Whether the camera was started, and not stopped since. */
  get isOn(): boolean {
    return this.turn !== null;
  }

  async start(): Promise<void> {
    const turn = (this.turn = {});
    try {
      const stream = await streamOf();
      if (this.turn !== turn) return stopTracks(stream);
      this.video.srcObject = this.stream = stream;
      await this.video.play();
    } catch (error) {
      if (this.turn === turn) throw error;
      return; // of a start that was stopped
    }
    void this.run(turn);
  }

  stop(): void {
    if (this.stream) stopTracks(this.stream);
    this.turn = this.stream = this.video.srcObject = null;
  }

  /** Throws if the camera was unplugged, or another program took it. */
  check(): void {
    if (this.stream?.active) return;
    throw new Error("The camera gives no pictures any more; connect and start it again.");
  }

  private async run(turn: object): Promise<void> {
    while (this.turn === turn) {
      if (this.video.videoWidth) await this.onFrame(this.video);
      await new Promise((next) => requestAnimationFrame(next));
    }
  }
}

async function streamOf(): Promise<MediaStream> {
  if (!navigator.mediaDevices) {
    throw new Error(
      "A browser gives a page its camera over https or from localhost only.",
    );
  }
  const video = { facingMode: "environment", width: { ideal: 1280 } };
  try {
    return await navigator.mediaDevices.getUserMedia({ video });
  } catch (error) {
    const reason = WRONG[(error as Error).name] ?? `The camera does not start: ${error}`;
    throw new Error(reason);
  }
}

const WRONG: Record<string, string> = {
  NotAllowedError:
    "The browser may not give the camera; allow it in the settings of this page.",
  NotFoundError: "No camera was found; connect one.",
};

function stopTracks(stream: MediaStream): void {
  stream.getTracks().forEach((track) => track.stop());
}
