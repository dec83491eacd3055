// Documents photographed with a telephone: looked at, turned and put in order before they leave, sent one by one, again
// after a lost connection. Without scripts the same form sends them; its words are in the page, so it has none here.

const SMALL_SIDE = 900; // pixels: a card fills a photograph of a telephone four times wider
const DARK = 55; // mean grey, of 255
const BLURRED = 35; // variance of the Laplacian of a 400-pixel copy: sharp print is above 200
const LOOK_SIDE = 400;
const LIGHTER_SIDE = 4000;
const WAITS_MS = [1000, 3000, 6000];

export function deposits(page) {
  for (const root of page.querySelectorAll("[data-app-deposit]")) new Deposit(root);
}

class Deposit {
  constructor(root) {
    this.root = root;
    this.form = root.querySelector("form");
    this.input = root.querySelector("input[type=file]");
    this.list = root.querySelector("[data-app-queue]");
    this.status = root.querySelector("[data-app-status]");
    this.words = root.querySelector("[data-app-words]").dataset;
    this.limit = Number(root.dataset.appLimit);
    this.queue = [];
    this.sending = false;
    this.input.addEventListener("change", () => this.choose());
    this.form.addEventListener("submit", (event) => this.submit(event));
    this.list.addEventListener("click", (event) => this.gesture(event));
    this.offerCamera();
    window.addEventListener("beforeunload", (event) => {
      if (this.sending) event.preventDefault();
    });
  }

  // A telephone asks "camera or gallery?" by itself; this button goes straight to the camera.
  offerCamera() {
    const camera = this.root.querySelector("[data-app-camera]");
    if (!matchMedia("(pointer: coarse)").matches) return;
    camera.hidden = false;
    camera.querySelector("button").addEventListener("click", () => {
      this.input.setAttribute("capture", "environment");
      this.input.click();
      this.input.removeAttribute("capture");
    });
  }

  async choose() {
    const chosen = [...this.input.files];
    this.input.value = "";
    for (const file of chosen) await this.add(file);
  }

  async add(file) {
    const card = this.root.querySelector("[data-app-card]").content.firstElementChild.cloneNode(true);
    const entry = { file, card, turned: 0, once: key(), picture: await picture(file) };
    card.querySelector("[data-app-name]").textContent = file.name;
    for (const button of card.querySelectorAll("[data-app-gesture]")) {
      button.setAttribute("aria-label", `${button.textContent.trim()} – ${file.name}`);
    }
    this.queue.push(entry);
    this.list.append(card);
    this.list.hidden = false;
    draw(entry);
    await this.warn(entry);
    this.say("chosen", file.name);
  }

  // Warnings never block: a poor photograph may be the only one.
  async warn(entry) {
    const found = entry.picture ? looks(entry.picture) : [];
    if (entry.file.size > this.limit) {
      const lighter = entry.picture && (await lightened(entry.picture));
      if (lighter) {
        entry.file = new File([lighter], entry.file.name.replace(/\.\w+$/, "") + ".jpg", { type: "image/jpeg" });
      }
      found.push(lighter ? "lightened" : "heavy");
    }
    this.tell(entry, found.map((word) => this.words[word]));
  }

  tell(entry, sentences) {
    const list = entry.card.querySelector("[data-app-warnings]");
    list.replaceChildren(...sentences.map((sentence) => Object.assign(document.createElement("li"), { textContent: sentence })));
  }

  say(word, name = "") {
    this.status.textContent = this.words[word].replace("{name}", name);
  }

  gesture(event) {
    const button = event.target.closest("[data-app-gesture]");
    const entry = button && this.queue.find((each) => each.card.contains(button));
    if (!entry || this.sending) return;
    const rank = this.queue.indexOf(entry);
    if (button.dataset.appGesture === "turn") {
      entry.turned = (entry.turned + 90) % 360;
      draw(entry);
      this.say("turned", entry.file.name);
    } else if (button.dataset.appGesture === "earlier" && rank > 0) {
      this.queue.splice(rank, 1);
      this.queue.splice(rank - 1, 0, entry);
      entry.card.previousElementSibling.before(entry.card);
      button.focus();
      this.say("moved", entry.file.name);
    } else if (button.dataset.appGesture === "drop") {
      this.forget(entry);
      (this.queue[rank] || this.queue[rank - 1])?.card.querySelector("button").focus();
      if (!this.queue.length) this.input.focus();
      this.say("dropped", entry.file.name);
    }
  }

  forget(entry) {
    this.queue = this.queue.filter((each) => each !== entry);
    entry.card.remove();
    this.list.hidden = !this.queue.length;
  }

  async submit(event) {
    if (!this.queue.length) return; // nothing left to send from here: the form goes by itself
    event.preventDefault();
    if (this.sending) return;
    this.sending = true;
    const all = await this.sendAll();
    this.sending = false;
    if (all && event.submitter?.name !== "more") this.form.requestSubmit();
  }

  // In order, since their order is that of the pages. True when every one has arrived.
  async sendAll() {
    let all = true;
    for (const entry of [...this.queue]) {
      this.say("sending", entry.file.name);
      const answer = await this.sendOne(entry);
      if (!answer) {
        this.say("lost");
        return false;
      }
      if (answer.status < 400) this.arrived(entry, answer);
      else all = this.refused(entry, answer);
    }
    return all;
  }

  // The same key each time: what arrived although its answer was lost is not taken twice. Null when nobody answers.
  async sendOne(entry) {
    for (const wait of [...WAITS_MS, null]) {
      const answer = await this.post(entry);
      if (answer.status && answer.status !== 503) return answer;
      if (wait === null) break;
      this.say("retry");
      await new Promise((done) => setTimeout(done, wait));
    }
    return null;
  }

  post(entry) {
    const body = new FormData();
    body.append("csrf_token", this.form.elements.csrf_token.value);
    body.append("once", entry.once);
    body.append("turned", String(entry.turned));
    body.append("more", "1");
    body.append(this.input.name, entry.file, entry.file.name);
    const bar = entry.card.querySelector("progress");
    bar.hidden = false;
    return new Promise((done) => {
      const request = new XMLHttpRequest();
      request.upload.addEventListener("progress", (event) => {
        if (event.lengthComputable) bar.value = (100 * event.loaded) / event.total;
      });
      request.addEventListener("loadend", () => done(request));
      request.open("POST", this.form.action || location.href);
      request.responseType = "document"; // the browser parses it, scripts left out: no text becomes markup here
      request.send(body);
    });
  }

  // The answer is the page itself, as it is now: what it says of the pages takes the place of what ours said.
  arrived(entry, answer) {
    const fresh = answer.responseXML?.querySelector("[data-app-pages]");
    if (!fresh) return location.assign(answer.responseURL);
    document.querySelector("[data-app-pages]").replaceWith(fresh);
    this.forget(entry);
    this.say("sent", entry.file.name);
  }

  refused(entry, answer) {
    entry.once = key();
    entry.card.querySelector("progress").hidden = true;
    const lines = answer.responseXML?.querySelectorAll(".govuk-error-summary__list li") ?? [];
    const told = [...lines].map((line) => line.textContent.trim());
    this.tell(entry, told.length ? told : [this.words[answer.status === 413 ? "heavy" : "broken"]]);
    this.say("refused", entry.file.name);
    return false;
  }
}

function key() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 15) | 64;
  bytes[8] = (bytes[8] & 63) | 128;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

// Upright, as its EXIF data says. Null for what this browser cannot draw: a PDF, on most of them a HEIC.
async function picture(file) {
  if (!file.type.startsWith("image/")) return null;
  try {
    return await createImageBitmap(file);
  } catch {
    return null;
  }
}

function draw(entry) {
  if (!entry.picture) return;
  const canvas = entry.card.querySelector("canvas");
  const scale = Math.min(1, LOOK_SIDE / Math.max(entry.picture.width, entry.picture.height));
  const [width, height] = [entry.picture.width * scale, entry.picture.height * scale];
  const lying = entry.turned % 180 !== 0;
  canvas.width = lying ? height : width;
  canvas.height = lying ? width : height;
  const pen = canvas.getContext("2d");
  pen.translate(canvas.width / 2, canvas.height / 2);
  pen.rotate((entry.turned * Math.PI) / 180);
  pen.drawImage(entry.picture, -width / 2, -height / 2, width, height);
  canvas.hidden = false;
  entry.card.querySelector("[data-app-no-preview]").hidden = true;
}

// What may make a photograph unreadable: too few pixels, too little light, no sharp edge.
function looks(bitmap) {
  const found = [];
  if (Math.max(bitmap.width, bitmap.height) < SMALL_SIDE) found.push("small");
  const { grey, width, height } = greyCopy(bitmap);
  if (grey.reduce((sum, value) => sum + value, 0) / grey.length < DARK) found.push("dark");
  else if (sharpness(grey, width, height) < BLURRED) found.push("blurred");
  return found;
}

function greyCopy(bitmap) {
  const scale = Math.min(1, LOOK_SIDE / Math.max(bitmap.width, bitmap.height));
  const width = Math.max(3, Math.round(bitmap.width * scale));
  const height = Math.max(3, Math.round(bitmap.height * scale));
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  pen.drawImage(bitmap, 0, 0, width, height);
  const { data } = pen.getImageData(0, 0, width, height);
  const grey = new Float32Array(width * height);
  for (let at = 0; at < grey.length; at++) {
    grey[at] = 0.299 * data[4 * at] + 0.587 * data[4 * at + 1] + 0.114 * data[4 * at + 2];
  }
  return { grey, width, height };
}

function sharpness(grey, width, height) {
  let [sum, squares, count] = [0, 0, 0];
  for (let y = 1; y < height - 1; y++) {
    for (let x = 1; x < width - 1; x++) {
      const at = y * width + x;
      const edge = 4 * grey[at] - grey[at - 1] - grey[at + 1] - grey[at - width] - grey[at + width];
      sum += edge;
      squares += edge * edge;
      count++;
    }
  }
  return squares / count - (sum / count) ** 2;
}

// Only for what would be refused otherwise: the original is worth more than its copy.
function lightened(bitmap) {
  const scale = Math.min(1, LIGHTER_SIDE / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement("canvas");
  canvas.width = bitmap.width * scale;
  canvas.height = bitmap.height * scale;
  canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.85));
}
