package dev.seekr.safetensors;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Folders of models as other programs write them, and how Seekr comes to read what is in them. */
public final class OtherFormats {
  private OtherFormats() {}

  /** What to do, as the end of a message; empty where nothing is known of the folder. */
  public static String hint(Path folder) {
    List<String> names;
    try (var files = Files.list(folder)) {
      names = files.map(file -> file.getFileName().toString()).sorted().toList();
    } catch (IOException | java.io.UncheckedIOException e) {
      return "";
    }
    if (names.contains("adapter_config.json"))
      return "; this is an adapter: './seekr convert %s OUT --base MODEL' merges it into its model"
          .formatted(folder);
    if (names.stream().anyMatch(name -> name.matches("pytorch_model.*\\.bin(\\.index\\.json)?")))
      return "; './seekr convert %s OUT' makes it of pytorch_model.bin".formatted(folder);
    if (names.stream().anyMatch(name -> name.matches("consolidated.*\\.pth")))
      return "; consolidated*.pth has LLaMA's own layout: take the model as Hugging Face"
          + " publishes it, which './seekr convert' reads";
    if (names.stream().anyMatch(name -> name.endsWith(".gguf")))
      return "; GGUF is not read: take the model that it was made of, which './seekr convert'"
          + " reads";
    return "";
  }
}
