require 'sinatra'

get '/' do
  erb :index
end

get '/guests/:name' do
  "Hello #{params[:name]}"
end

get '/healthz' do
  'ok'
end
