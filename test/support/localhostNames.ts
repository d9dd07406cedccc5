import { interceptLocalhostDns } from 'fauxqs'

// The addresses of queues on this machine have names below `localhost`, which not every machine knows.
interceptLocalhostDns()
