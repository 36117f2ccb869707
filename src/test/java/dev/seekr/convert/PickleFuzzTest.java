package dev.seekr.convert;

import dev.seekr.Failure;
import dev.seekr.Failure.Exit;
import dev.seekr.FuzzTarget;
import dev.seekr.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.zip.ZipEntry;

/**
 * The pickle of a checkpoint whose storage data/0 is of 24 bytes: tensors that are let through are
 * read from it.
 */
class PickleFuzzTest extends FuzzTarget {
  private static final int BYTES = 24;

  PickleFuzzTest() {
    super("x.bin", Exit.DATA);
  }

  @Override
  protected Path write(Path folder, byte[] input) throws IOException {
    var entries = new LinkedHashMap<String, byte[]>();
    entries.put("x/data.pkl", input);
    entries.put("x/data/0", new byte[BYTES]);
    Path file = folder.resolve("x.bin");
    Zips.write(file, ZipEntry.STORED, entries);
    return file;
  }

  @Override
  protected Object read(Path file) {
    var all = new ArrayList<Object>();
    try (var opened = TorchFile.open(file)) {
      for (String name : opened.names()) {
        long elements = Tensor.size(opened.shape(name));
        sound(elements <= BYTES, name + " has " + elements);
        all.add(List.of(name, Arrays.toString(opened.shape(name))));
        if (readable(opened, name)) all.add(Arrays.toString(opened.get(name).toDoubles()));
      }
    }
    return all;
  }

  private static boolean readable(TorchFile opened, String name) {
    try {
      return opened.type(name) != null;
    } catch (Failure otherType) {
      return false;
    }
  }
}
