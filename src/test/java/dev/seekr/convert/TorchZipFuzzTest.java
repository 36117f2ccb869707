package dev.seekr.convert;

import dev.seekr.Failure.Exit;
import dev.seekr.FuzzTarget;
import dev.seekr.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** A whole checkpoint, the zip around its pickle included. */
class TorchZipFuzzTest extends FuzzTarget {
  TorchZipFuzzTest() {
    super("x.bin", Exit.DATA);
  }

  @Override
  protected Object read(Path file) throws IOException {
    var all = new ArrayList<Object>();
    try (var opened = TorchFile.open(file)) {
      for (String name : opened.names()) {
        long[] shape = opened.shape(name);
        all.add(List.of(name, opened.type(name), Arrays.toString(shape)));
        float[] some = new float[(int) Math.min(1 << 12, Tensor.size(shape))];
        opened.read(name, 0, Tensor.of(some));
        all.add(Arrays.hashCode(some));
      }
    }
    return all;
  }
}
