package dev.seekr.page;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import javax.imageio.ImageIO;

/**
 * A page in headless Chromium, in a frame of some width, light or dark; {@code frame.html} measures
 * it.
 */
final class Browser {
  private static final int HEIGHT = 2000;
  private static final Pattern MEASURED =
      Pattern.compile("<pre id=\"measured\">(.*?)</pre>", Pattern.DOTALL);

  private final Path folder;

  /**
   * @param folder to work in; gets the page and its frame
   * @param html of the page
   */
  Browser(Path folder, String html) throws IOException {
    this.folder = folder;
    Files.writeString(folder.resolve("report.html"), html);
    try (var frame = Browser.class.getResourceAsStream("/page/frame.html")) {
      Files.write(folder.resolve("frame.html"), frame.readAllBytes());
    }
  }

  /**
   * What is in the page.
   *
   * @param scheme light or dark
   */
  JsonNode measure(int width, String scheme) throws IOException {
    var found = MEASURED.matcher(run(width, scheme, "--dump-dom"));
    if (!found.find() || found.group(1).isEmpty())
      throw new AssertionError("the browser measured nothing");
    String json = found.group(1).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    return new ObjectMapper().readTree(json);
  }

  /** Writes a picture of the top of the page. */
  void picture(int width, int height, String scheme, Path png) throws IOException {
    Path whole = folder.resolve("whole.png");
    run(width, scheme, "--screenshot=" + whole);
    BufferedImage top = ImageIO.read(whole.toFile()).getSubimage(0, 0, width, height);
    ImageIO.write(top, "png", png.toFile());
  }

  /** Returns its output; what a page says to the console is an error. */
  private String run(int width, String scheme, String what) throws IOException {
    var command =
        List.of(
            System.getProperty("chromium", "chromium"),
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
            "--allow-file-access-from-files",
            "--enable-logging=stderr",
            "--virtual-time-budget=5000",
            "--window-size=%d,%d".formatted(Math.max(width, 500), HEIGHT),
            "--user-data-dir=" + folder.resolve("browser"),
            what,
            folder.resolve("frame.html").toUri() + "?width=" + width + "&scheme=" + scheme);
    Path log = folder.resolve("browser.log");
    var process = new ProcessBuilder(command).redirectError(log.toFile()).start();
    var out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    try {
      if (process.waitFor() != 0) throw new AssertionError(Files.readString(log));
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
    var said = Files.readString(log).lines().filter(line -> line.contains("CONSOLE")).toList();
    if (!said.isEmpty()) throw new AssertionError(said.toString());
    return out;
  }

  /**
   * Pictures of a page.
   *
   * @param args the page; where pictures of a screen and of a phone go
   */
  public static void main(String[] args) throws IOException {
    Path scratch = Files.createTempDirectory("seekr-page");
    var browser = new Browser(scratch, Files.readString(Path.of(args[0])));
    browser.picture(1200, 1200, "light", Path.of(args[1]));
    browser.picture(390, 1200, "dark", Path.of(args[2]));
    dev.seekr.disk.Disk.delete(scratch);
  }

  /** Texts of an array. */
  static List<String> texts(JsonNode array) {
    var texts = new ArrayList<String>();
    array.forEach(text -> texts.add(text.isTextual() ? text.textValue() : text.toString()));
    return texts;
  }
}
