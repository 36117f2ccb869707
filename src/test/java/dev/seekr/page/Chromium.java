package dev.seekr.page;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** Headless Chromium with one page, driven by its DevTools protocol. */
final class Chromium implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int SECONDS = 60;

  private final Process process;
  private final HttpClient client = HttpClient.newHttpClient();
  private final BlockingQueue<JsonNode> messages = new LinkedBlockingQueue<>();
  private final List<String> requests = new ArrayList<>(), errors = new ArrayList<>();
  private WebSocket socket;
  private String session;
  private int last; // id of the last command

  private Chromium(Process process) {
    this.process = process;
  }

  /** Throws IOException where there is no chromium on the path. */
  static Chromium start(Path profile) throws IOException, InterruptedException {
    var process =
        new ProcessBuilder(
                "chromium",
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--hide-scrollbars",
                "--no-first-run",
                "--remote-debugging-port=0",
                "--user-data-dir=" + profile,
                "about:blank")
            .redirectErrorStream(true)
            .start();
    var browser = new Chromium(process);
    var out =
        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    String line = out.readLine();
    while (line != null && !line.contains("DevTools listening on ")) line = out.readLine();
    if (line == null) throw new IOException("chromium ended with " + process.waitFor());
    Thread.ofVirtual().start(() -> out.lines().forEach(_ -> {}));
    browser.connect(URI.create(line.substring(line.indexOf("ws://")).strip()));
    return browser;
  }

  private void connect(URI uri) {
    socket = client.newWebSocketBuilder().buildAsync(uri, new Listener()).join();
    String target =
        command("Target.createTarget", "url", "about:blank").path("targetId").textValue();
    session =
        command("Target.attachToTarget", "targetId", target, "flatten", true)
            .path("sessionId")
            .textValue();
    for (String domain : List.of("Page", "Network", "Runtime", "Log")) command(domain + ".enable");
  }

  private final class Listener implements WebSocket.Listener {
    private final StringBuilder text = new StringBuilder();

    @Override
    public CompletionStage<?> onText(WebSocket from, CharSequence part, boolean whole) {
      text.append(part);
      if (whole) {
        try {
          messages.add(JSON.readTree(text.toString()));
        } catch (IOException e) {
          throw new IllegalStateException(e);
        }
        text.setLength(0);
      }
      from.request(1);
      return null;
    }
  }

  /**
   * Sends a command with its parameters, names and values in turn, and waits for what it yields.
   */
  private JsonNode command(String method, Object... parameters) {
    ObjectNode json = JSON.createObjectNode().put("id", ++last).put("method", method);
    if (session != null) json.put("sessionId", session);
    var params = json.putObject("params");
    for (int i = 0; i < parameters.length; i += 2)
      params.set((String) parameters[i], JSON.valueToTree(parameters[i + 1]));
    socket.sendText(json.toString(), true).join();
    JsonNode answer = await(m -> m.path("id").asInt() == last);
    if (answer.has("error")) throw new IllegalStateException(method + ": " + answer);
    return answer.path("result");
  }

  private JsonNode await(java.util.function.Predicate<JsonNode> wanted) {
    try {
      while (true) {
        JsonNode message = messages.poll(SECONDS, TimeUnit.SECONDS);
        if (message == null) throw new IllegalStateException("chromium does not answer");
        note(message);
        if (wanted.test(message)) return message;
      }
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private void note(JsonNode message) {
    JsonNode params = message.path("params");
    switch (message.path("method").asText()) {
      case "Network.requestWillBeSent" ->
          requests.add(params.path("request").path("url").textValue());
      case "Runtime.exceptionThrown" -> errors.add(params.path("exceptionDetails").toString());
      case "Log.entryAdded" -> errors.add(params.path("entry").path("text").textValue());
      default -> {}
    }
  }

  /** How wide the screen is, and whether its user prefers light or dark. */
  void screen(int width, String theme) {
    command(
        "Emulation.setDeviceMetricsOverride",
        "width",
        width,
        "height",
        900,
        "deviceScaleFactor",
        1,
        "mobile",
        width < 500);
    var feature = JSON.createObjectNode().put("name", "prefers-color-scheme").put("value", theme);
    command("Emulation.setEmulatedMedia", "features", List.of(feature));
  }

  /** Loads a page, and waits until it has. */
  void open(URI page) {
    command("Page.navigate", "url", page.toString());
    await(m -> m.path("method").asText().equals("Page.loadEventFired"));
  }

  /** What an expression yields, which must be JSON as a text. */
  JsonNode evaluate(String expression) throws IOException {
    var result = command("Runtime.evaluate", "expression", expression, "returnByValue", true);
    String value = result.path("result").path("value").textValue();
    return JSON.readTree(
        Optional.ofNullable(value).orElseThrow(() -> new IOException("" + result)));
  }

  /** The whole page as PNG, in base 64. */
  String picture() {
    return command("Page.captureScreenshot", "captureBeyondViewport", true)
        .path("data")
        .textValue();
  }

  List<String> requests() {
    return requests;
  }

  List<String> errors() {
    return errors;
  }

  @Override
  public void close() {
    client.close();
    process.destroy();
    try {
      if (!process.waitFor(SECONDS, TimeUnit.SECONDS)) process.destroyForcibly().waitFor();
    } catch (InterruptedException e) {
      throw new IllegalStateException(Arrays.toString(e.getStackTrace()), e);
    }
  }
}
