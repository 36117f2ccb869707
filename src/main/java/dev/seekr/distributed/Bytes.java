package dev.seekr.distributed;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** Several arrays of bytes as one, for {@link Collectives#gather}. */
public final class Bytes {
  private Bytes() {}

  public static byte[] join(List<byte[]> arrays) {
    var bytes = new ByteArrayOutputStream();
    try {
      var out = new DataOutputStream(bytes);
      for (byte[] array : arrays) {
        out.writeInt(array.length);
        out.write(array);
      }
    } catch (IOException e) {
      throw new IllegalStateException("it is written to memory", e);
    }
    return bytes.toByteArray();
  }

  public static List<byte[]> split(byte[] joined) {
    var arrays = new ArrayList<byte[]>();
    try {
      var in = new DataInputStream(new ByteArrayInputStream(joined));
      while (in.available() > 0) {
        byte[] array = new byte[in.readInt()];
        in.readFully(array);
        arrays.add(array);
      }
    } catch (IOException e) {
      throw new IllegalStateException("it is read from memory", e);
    }
    return arrays;
  }
}
