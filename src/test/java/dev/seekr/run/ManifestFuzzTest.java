package dev.seekr.run;

import dev.seekr.Failure.Exit;
import dev.seekr.FuzzTarget;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** A manifest beside a state.json of {}; the folder stands for the run's too. */
class ManifestFuzzTest extends FuzzTarget {
  ManifestFuzzTest() {
    super(Manifest.FILE, Exit.DATA, Exit.INPUT, Exit.IO);
  }

  @Override
  protected Path write(Path folder, byte[] input) throws IOException {
    Files.writeString(folder.resolve("state.json"), "{}\n");
    return super.write(folder, input);
  }

  @Override
  protected Object read(Path file) throws IOException {
    Path folder = file.getParent();
    Manifest manifest = Manifest.read(folder);
    sound(manifest.attempt() >= 0 && manifest.attempt() < manifest.attempt() + 1, "attempt");
    sound(manifest.stage() >= 0, "stage " + manifest.stage());
    for (var files : List.of(manifest.files(), manifest.references()))
      files.forEach(
          (path, f) -> {
            sound(folder.resolve(path).normalize().startsWith(folder), path);
            sound(f.size() >= 0 && f.sha256().matches("[0-9a-f]{64}"), f.toString());
          });
    Path again = Files.createDirectories(folder.resolve("again"));
    Files.writeString(again.resolve(Manifest.FILE), manifest.text());
    sound(Manifest.read(again).equals(manifest), manifest.text());
    manifest.verify(folder, folder);
    return manifest;
  }
}
