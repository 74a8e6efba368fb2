// The camera: one frame after the other, each as soon as the last is answered.

export class Camera {
  private video = document.createElement("video");
  private stream: MediaStream | null = null;

  constructor(private onFrame: (video: HTMLVideoElement) => Promise<void>) {
    this.video.muted = true;
    this.video.playsInline = true;
  }

  get isOn(): boolean {
    return this.stream !== null;
  }

  async start(): Promise<void> {
    if (!navigator.mediaDevices) {
      throw new Error(
        "A browser gives a page its camera over https or from localhost only.",
      );
    }
    const wanted = { facingMode: "environment", width: { ideal: 1280 } };
    const stream = await navigator.mediaDevices
      .getUserMedia({ video: wanted })
      .catch((error: unknown) => {
        throw new Error(
          "The camera does not start: there is none, or the browser was not " +
            `allowed to give it. Received: ${String(error)}`,
        );
      });
    this.stream = stream;
    this.video.srcObject = stream;
    await this.video.play();
    void this.run(stream);
  }

  stop(): void {
    this.stream?.getTracks().forEach((track) => track.stop());
    this.stream = null;
    this.video.srcObject = null;
  }

  private async run(stream: MediaStream): Promise<void> {
    while (this.stream === stream) {
      if (this.video.videoWidth) await this.onFrame(this.video);
      await new Promise((next) => requestAnimationFrame(next));
    }
  }
}
