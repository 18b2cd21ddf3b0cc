defmodule Guests.Application do
  @moduledoc false

  use Application

  @impl true
  def start(_type, _args) do
    children = [
      {Task, fn -> Guests.Web.serve(Application.fetch_env!(:guests, :port)) end}
    ]

    Supervisor.start_link(children, strategy: :one_for_one, name: Guests.Supervisor)
  end
end
