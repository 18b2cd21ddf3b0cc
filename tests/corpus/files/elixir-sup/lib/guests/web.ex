defmodule Guests.Web do
  @moduledoc "Answers every request with its path."

  def serve(port) do
    {:ok, socket} = :gen_tcp.listen(port, [:binary, packet: :http_bin, active: false, reuseaddr: true])
    accept(socket)
  end

  defp accept(socket) do
    {:ok, client} = :gen_tcp.accept(socket)
    answer(client, :gen_tcp.recv(client, 0, 5_000))
    :gen_tcp.close(client)
    accept(socket)
  end

  defp answer(client, {:ok, {:http_request, _, {:abs_path, path}, _}}) do
    body = "<h1>Guests of Elixir</h1><p>#{path}</p>"

    :gen_tcp.send(
      client,
      "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: #{byte_size(body)}\r\nconnection: close\r\n\r\n#{body}"
    )

    :gen_tcp.shutdown(client, :write)
    drain(client)
  end

  defp answer(_client, _other), do: :ok

  defp drain(client) do
    :inet.setopts(client, packet: :raw)

    case :gen_tcp.recv(client, 0, 200) do
      {:ok, _} -> drain(client)
      {:error, _} -> :ok
    end
  end
end
