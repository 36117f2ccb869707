package dev.seekr.convert;

import dev.seekr.Failure;
import dev.seekr.safetensors.OtherFormats;
import dev.seekr.safetensors.TensorSource;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Finds the tensors of a model or adapter, whatever they are stored as. */
final class Checkpoint {
  private static final String BIN = "pytorch_model.bin", BIN_INDEX = BIN + ".index.json";

  private Checkpoint() {}

  /**
   * Opens a file of tensors, an index of such files, or a folder with model.safetensors,
   * pytorch_model.bin or one of their indices.
   *
   * @throws Failure input when nothing of the kind is there, data when what is there is malformed
   */
  static TensorSource open(Path path) {
    if (Files.isDirectory(path)) return open(weights(path));
    boolean index = path.toString().endsWith(".json");
    return index ? TensorSource.sharded(path, Checkpoint::file) : file(path);
  }

  private static TensorSource file(Path path) {
    String name = path.getFileName().toString();
    if (name.endsWith(".safetensors")) return TensorSource.open(path);
    if (name.endsWith(".gguf") || name.matches("consolidated.*\\.pth"))
      throw Failure.input("%s: is not read%s", path, OtherFormats.hint(path.resolveSibling(".")));
    return TorchFile.open(path);
  }

  private static Path weights(Path folder) {
    for (String name : List.of(TensorSource.SINGLE, TensorSource.INDEX, BIN, BIN_INDEX))
      if (Files.exists(folder.resolve(name))) return folder.resolve(name);
    String hint = OtherFormats.hint(folder);
    throw Failure.input(
        "%s: expected %s, %s or an index of either in this folder, found none%s",
        folder, TensorSource.SINGLE, BIN, hint.contains("pytorch_model") ? "" : hint);
  }
}
